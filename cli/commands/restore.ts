/** `metrics-collector restore FILE`. */
import { restore } from "../backup/restore.ts";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { count } from "../count.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { inspect, openCloud } from "../installed.ts";
import { readMigrationState } from "../migrations.ts";
import { Output } from "../output.ts";

export const restoreCommand: Command = {
  name: "restore",
  summary: "read such a file into an empty collector, or add it with --merge",
  positionals: "FILE",
  help: `
Checks the file's checksum, then writes its rows into the database of a deployed collector that has no function yet.
With --merge it adds them to what is there. Restoring a file again, or going on after an interruption, counts every
call once: the ledger knows the file by its hash. A backup of the same collector is not merged, since what is in it
would count twice.

  npx metrics-collector deploy --name second
  npx metrics-collector restore metrics-2026-11-27.backup --name second`,
  options: {
    ...COMMON_OPTIONS,
    merge: { type: "boolean", help: "Add to what is there." },
  },
  run,
};

async function run(values: Values, [file, ...others]: string[]): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  if (file === undefined || others.length > 0) {
    throw new Failure("Give one file to read. See: npx metrics-collector restore --help", EXIT.usage);
  }
  const cloud = await openCloud(selectionOf(values), output);
  const { database } = await inspect(cloud);
  if (!database) {
    throw new Failure(
      `${cloud.names.worker} has no database in this account. Deploy it first: npx metrics-collector deploy`,
    );
  }
  const { pending } = await readMigrationState(cloud.d1, database.uuid, database.name);
  if (pending.length > 0) {
    throw new Failure(`The database lacks ${pending.join(", ")}. Deploy first: npx metrics-collector deploy`);
  }
  const restored = await restore(cloud.d1, database, file, { merge: values["merge"] === true }, output);
  output.result(restored);
  const { functions, rollups } = restored.rows;
  if (restored.wasComplete) output.print(`${file} was restored here before. Nothing changed.`);
  else
    output.changed(`${count(functions, "function")} and ${count(rollups, "rollup")} of ${file} are restored`);
  return EXIT.done;
}
