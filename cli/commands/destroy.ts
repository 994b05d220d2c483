/** `metrics-collector destroy`: deletes one installation with all its data. */
import { awaitStored } from "../backup/await-stored.ts";
import { backUp } from "../backup/back-up.ts";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { consumerOf, type Queue } from "../cloudflare/queues.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { type Cloud, type Found, inspect, openCloud } from "../installed.ts";
import { readMigrationState } from "../migrations.ts";
import { Output } from "../output.ts";

export const destroyCommand: Command = {
  name: "destroy",
  summary: "delete it, with all its data, after you typed its name",
  help: `
Deletes the Worker with its buffer, the queues, the D1 database and the tokens kept on this machine. Nothing brings
them back, so it asks for the name, and offers a backup first, for which it waits until the database has what is in
the buffer. Stop what sends before: later calls are in no backup. Off a terminal, --confirm NAME stands for typing it.

  npx metrics-collector destroy
  npx metrics-collector destroy --backup last.backup --confirm metrics-collector`,
  options: {
    name: COMMON_OPTIONS.name,
    account: COMMON_OPTIONS.account,
    json: COMMON_OPTIONS.json,
    help: COMMON_OPTIONS.help,
    confirm: { type: "string", value: "NAME", help: "The name, instead of typing it." },
    backup: { type: "string", value: "FILE", help: "Write a backup to this file first." },
  },
  run,
};

async function run(values: Values): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: false });
  const cloud = await openCloud(selectionOf(values), output);
  const { names } = cloud;
  const found = await inspect(cloud);
  // WARNING: only what is surely ours may go. This throws if the database holds somebody else's tables.
  if (found.database) await readMigrationState(cloud.d1, found.database.uuid, found.database.name);
  const things = listOf(cloud, found);
  if (things.length === 0) {
    output.result({ deleted: [] });
    output.print(`There is nothing named ${names.worker} in this account.`);
    await cloud.record.remove();
    return EXIT.done;
  }
  output.warn(`This deletes, for ever: ${things.join(", ")}.`);
  const file = (values["backup"] as string | undefined) ?? (await offerBackup(found, output));
  await confirmName(names.worker, values["confirm"] as string | undefined, output);
  if (file !== undefined && found.database) {
    // What waits in the buffer is in no backup, and goes with the Worker.
    if (found.worker === "present") await awaitStored(cloud, output);
    await backUp(cloud, found.database, file, output);
  }
  await destroy(cloud, found, output);
  output.result({ deleted: output.done, backup: file ?? null });
  return EXIT.done;
}

function listOf({ names }: Cloud, { worker, flushes, deadLetters, database }: Found): string[] {
  return [
    ...(worker === "absent" ? [] : [`the Worker ${names.worker} with what waits in its buffer`]),
    ...(flushes ? [`the queue ${flushes.queue_name}`] : []),
    ...(deadLetters ? [`the queue ${deadLetters.queue_name}`] : []),
    ...(database ? [`the D1 database ${database.name} with all it has counted`] : []),
  ];
}

async function offerBackup({ database }: Found, output: Output): Promise<string | undefined> {
  if (!database || !output.isInteractive) return undefined;
  const answer = await output.ask("Back it up first? Type a file's name, or nothing:", "");
  return answer === "" ? undefined : answer;
}

async function confirmName(name: string, confirmed: string | undefined, output: Output): Promise<void> {
  const otherwise = `Nothing was deleted. Type the name ${name}, or give it: --confirm ${name}`;
  const typed = confirmed ?? (await output.ask(`Type the name ${name} to delete it:`, otherwise));
  if (typed !== name) throw new Failure(otherwise, EXIT.undecided);
}

/** In an order in which an interrupted run can be run again: the database, which shows that all is ours, goes last. */
async function destroy(
  { worker, queues, d1, names, record }: Cloud,
  found: Found,
  output: Output,
): Promise<void> {
  const { flushes, deadLetters, database } = found;
  const remove = async (queue: Queue) => {
    for (const consumer of queue.consumers ?? []) {
      if (consumerOf(consumer) === names.worker)
        await queues.removeConsumer(queue.queue_id, consumer.consumer_id);
    }
  };
  for (const queue of [flushes, deadLetters]) if (queue) await remove(queue);
  if (found.worker !== "absent") {
    await output.step(
      "Deleting the Worker",
      () => worker.delete(),
      () => `Worker ${names.worker} is deleted`,
    );
  }
  for (const queue of [flushes, deadLetters]) {
    if (!queue) continue;
    const what = `queue ${queue.queue_name}`;
    await output.step(
      `Deleting the ${what}`,
      () => queues.delete(queue.queue_id),
      () => `Queue ${queue.queue_name} is deleted`,
    );
  }
  if (database) {
    await output.step(
      "Deleting the database",
      () => d1.delete(database.uuid),
      () => `D1 database ${database.name} is deleted`,
    );
  }
  await record.remove();
}
