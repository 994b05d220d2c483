/** Makes the account ready for the Worker: its queues, its database, and nothing in the way. */
import type { Database } from "../cloudflare/d1.ts";
import type { Queue } from "../cloudflare/queues.ts";
import { count } from "../count.ts";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { Cloud, Found } from "../installed.ts";
import { installation } from "../installation.ts";
import { readMigrationState } from "../migrations.ts";
import type { Output } from "../output.ts";
import { applyMigrations } from "./upload.ts";

export async function findOrCreateQueue(
  { queues }: Cloud,
  found: Queue | undefined,
  name: string,
  output: Output,
): Promise<void> {
  if (found) return;
  await output.step(
    `Creating the queue ${name}`,
    () => queues.create(name),
    () => `Queue ${name} is created`,
  );
}

export async function prepareDatabase(
  { d1, names, record }: Cloud,
  { database: existing }: Found,
  output: Output,
): Promise<{ database: Database; bookmark: string | null }> {
  if (!existing) {
    const database = await output.step(
      `Creating the D1 database ${names.database}`,
      () => d1.create(names.database),
      () => `D1 database ${names.database} is created`,
    );
    return { database, bookmark: null };
  }
  const bookmark = await output.step("Taking a Time Travel bookmark of the database", () =>
    d1.bookmark(existing.uuid),
  );
  const known = await record.read();
  const entry = { at: new Date().toISOString(), bookmark, version: installation.version };
  await record.write({ ...known, bookmarks: [...known.bookmarks, entry] });
  return { database: existing, bookmark };
}

export async function migrate(
  { d1, account, record }: Cloud,
  database: Database,
  configuration: string,
  output: Output,
): Promise<void> {
  const { pending, unknown } = await output.step("Reading which migrations are applied", () =>
    readMigrationState(d1, database.uuid, database.name),
  );
  if (unknown.length > 0) {
    output.warn(
      `The database has migrations of a newer version (${unknown.join(", ")}): this deployment goes back to an older one.`,
    );
  }
  if (pending.length === 0) return;
  await output.step(
    "Applying migrations",
    () => applyMigrations(record, configuration, account.id),
    () => `${count(pending.length, "migration")} applied: ${pending.join(", ")}`,
  );
}

/** @throws {Failure} "undecided" if the Worker without code may be somebody else's and nobody says to go on */
export async function mayDeleteHollow({ names }: Cloud, { database }: Found, output: Output): Promise<void> {
  // Our database is created before the first upload, so with it the Worker is ours.
  if (database) return;
  const question = `The Worker ${names.worker} exists but has no code, as after an upload that was cut. Delete it and go on?`;
  const otherwise = `${question} Say so with --yes, or choose another --name.`;
  if (!(await output.confirm(question, otherwise))) throw new Failure(otherwise, EXIT.undecided);
}

/** Wrangler 4.156.2 crashes on a service without a script, which a first upload that was cut can leave behind. */
export async function deleteHollow({ worker, names }: Cloud, output: Output): Promise<void> {
  await output.step(
    "Deleting what an interrupted upload left",
    () => worker.delete(),
    () => `The Worker ${names.worker} without code, left by an interrupted upload, is deleted`,
  );
}
