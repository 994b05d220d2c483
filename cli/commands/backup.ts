/** `metrics-collector backup FILE`. */
import { awaitStored } from "../backup/await-stored.ts";
import { backUp } from "../backup/back-up.ts";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { inspect, openCloud } from "../installed.ts";
import { Output } from "../output.ts";

export const backupCommand: Command = {
  name: "backup",
  summary: "write everything that was counted into a file",
  positionals: "FILE",
  help: `
Writes totals, rollups, failures and the ledger of applied flushes into one compressed file with a checksum.
Every row is of one moment: if the database changes while it is read, reading starts over, and after four times the
file says that it could not be (exit code 5). Calls that still wait in the buffer are not in the file: --wait has them
written first, and waits for that. Tokens are not in the file. It holds names and error messages: keep it as such.

  npx metrics-collector backup metrics-2026-11-27.backup`,
  options: {
    ...COMMON_OPTIONS,
    wait: {
      type: "boolean",
      help: "Have the buffer written first, and wait until the database has every call that was acknowledged before.",
    },
  },
  run,
};

async function run(values: Values, [file, ...others]: string[]): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  if (file === undefined || others.length > 0) {
    throw new Failure("Give one file to write to. See: npx metrics-collector backup --help", EXIT.usage);
  }
  const cloud = await openCloud(selectionOf(values), output);
  const { database } = await inspect(cloud);
  if (!database)
    throw new Failure(
      `${cloud.names.worker} has no database in this account, so there is nothing to back up.`,
    );
  if (values["wait"] === true) await awaitStored(cloud, output);
  const result = await backUp(cloud, database, file, output);
  output.result(result);
  const { waitingSamples: waiting, isConsistent } = result;
  if (waiting === null)
    output.print("The Worker could not be asked what waits in its buffer, which is not in the file.");
  else if (waiting > 0) output.print(`${waiting} samples wait in the buffer and are not in the file.`);
  if (isConsistent) return EXIT.done;
  output.warn(
    "The database changed all the time while it was read: rows of the file are of different moments.",
  );
  return EXIT.problems;
}
