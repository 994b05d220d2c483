/** Opens one installation: the login, the account, what is there under the name, and what this machine knows of it. */
import { type Account, chooseAccount } from "./cloudflare/account.ts";
import { CloudflareApi } from "./cloudflare/api.ts";
import { D1, type Database } from "./cloudflare/d1.ts";
import { type Queue, Queues } from "./cloudflare/queues.ts";
import { type Binding, Worker } from "./cloudflare/worker.ts";
import { EXIT } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { type Names, namesFor } from "./names.ts";
import type { Output } from "./output.ts";
import { InstallationRecord } from "./record.ts";

export interface Cloud {
  api: CloudflareApi;
  account: Account;
  names: Names;
  worker: Worker;
  d1: D1;
  queues: Queues;
  record: InstallationRecord;
}

/** What exists in the account under the installation's names. */
export interface Found {
  worker: "absent" | "hollow" | "present";
  bindings: Binding[];
  secrets: string[];
  /** The database that the Worker has bound, or else the one of its name. */
  database: Database | undefined;
  flushes: Queue | undefined;
  deadLetters: Queue | undefined;
}

export async function openCloud(
  { name, account }: { name?: string | undefined; account?: string | undefined },
  output: Output,
): Promise<Cloud> {
  const names = namesFor(name);
  const api = await CloudflareApi.open();
  const chosen = await chooseAccount(api, account, output);
  return {
    api,
    account: chosen,
    names,
    worker: new Worker(api, chosen.id, names.worker),
    d1: new D1(api, chosen.id),
    queues: new Queues(api, chosen.id),
    record: new InstallationRecord(chosen.id, names.worker),
  };
}

/** Reads only. @throws {Failure} "undecided" if the names belong to something else */
export async function inspect({ worker, d1, queues, names }: Cloud): Promise<Found> {
  const state = await worker.state();
  const bindings = state === "present" ? await worker.bindings() : [];
  if (state === "present" && !isOurs(bindings)) throw taken(`Worker "${names.worker}"`);
  const secrets = state === "present" ? await worker.secretNames() : [];
  const bound = bindings.find(({ type, name }) => type === "d1" && name === "DB");
  const boundId = bound?.id ?? bound?.database_id;
  const database =
    (boundId === undefined ? undefined : await d1.findById(boundId)) ?? (await d1.findByName(names.database));
  return {
    worker: state,
    bindings,
    secrets,
    database,
    flushes: await queues.find(names.flushes),
    deadLetters: await queues.find(names.deadLetters),
  };
}

/** A Worker of ours has the buffer's Durable Object. */
function isOurs(bindings: readonly Binding[]): boolean {
  return bindings.some(
    ({ name, class_name: className }) => name === "BUFFER" && className === "MetricsBuffer",
  );
}

export function taken(what: string): Failure {
  return new Failure(
    `The ${what} exists already and is not a MetricsCollector, so it stays as it is. Choose another name: --name NAME`,
    EXIT.undecided,
  );
}
