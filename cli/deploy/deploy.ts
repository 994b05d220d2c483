/**
 * The steps of a deployment. Each finds what an earlier, interrupted run has done, so the command ends in the same
 * state however often it was stopped.
 */
import { randomUUID } from "node:crypto";
import { build } from "../build.ts";
import { selectionOf, type Values } from "../command.ts";
import { type Database } from "../cloudflare/d1.ts";
import { consumerOf, type Queue } from "../cloudflare/queues.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { type Cloud, type Found, inspect, openCloud, taken } from "../installed.ts";
import { installation } from "../installation.ts";
import { readMigrationState } from "../migrations.ts";
import type { Output } from "../output.ts";
import { currentToken, newToken, readSecretText, ROLES, SECRETS, secretText } from "../tokens/token-entry.ts";
import { count, missingRoles } from "./plan.ts";
import { summaryOf } from "./summary.ts";
import { applyMigrations, uploadWorker } from "./upload.ts";
import { chooseVars } from "./vars.ts";
import { awaitVersion, type HealthAnswer, sendSample } from "./verify.ts";
import { writeConfiguration } from "./wrangler-configuration.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Deployed {
  name: string;
  account: string;
  version: string;
  versionId: string | null;
  url: string;
  isFirst: boolean;
  /** What this run created and changed. */
  done: string[];
  /** Time Travel bookmark of the database before this run; null where the database is new. */
  bookmark: string | null;
  tokens: Partial<Record<"ingest" | "read" | "admin", string>>;
  tokensFile: string;
  /** Null where this machine knows no token to read with. */
  health: HealthAnswer["health"] | null;
  problems: string[];
}

export async function deploy(values: Values, output: Output): Promise<ExitCode> {
  const interrupt = () => {
    process.stderr.write(`\nInterrupted.\n${account(output)}\n`);
    process.exit(EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const deployed = await run(values, output);
    const mayShow = output.json || values["show-tokens"] === true || process.stdout.isTTY;
    output.result(deployed);
    output.print(summaryOf(deployed, mayShow));
    return deployed.problems.length > 0 ? EXIT.problems : EXIT.done;
  } catch (error) {
    if (error instanceof Failure && (output.done.length > 0 || output.current !== undefined)) {
      throw new Failure(`${error.message}\n\n${account(output)}`, error.exitCode, { cause: error });
    }
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

/** What a failure in the middle leaves behind. */
function account({ done, current }: Output): string {
  const list = done.length === 0 ? "nothing" : `\n${done.map((what) => `  ✓ ${what}`).join("\n")}`;
  return (
    `Done before this: ${list}\nNot done: ${current ?? "the rest"}, and every step after it.\n` +
    "Running the same command again is safe: it goes on from here and creates nothing twice."
  );
}

async function run(values: Values, output: Output): Promise<Deployed> {
  const startedAt = performance.now();
  await output.step("Building the Worker", build);
  const cloud = await output.step("Reading the login and the account", () =>
    openCloud(selectionOf(values), output),
  );
  const { names, record, worker } = cloud;
  const found = await output.step("Looking at what is there", () => inspect(cloud));
  const vars = chooseVars(values["var"] as string[] | undefined, found);
  refuseForeignConsumers(names.worker, found);
  if (found.worker === "hollow") await mayDeleteHollow(cloud, found, output);
  await output.step("Looking for a workers.dev subdomain", () => worker.subdomain());

  // Before any step that changes the account, so that no token is lost when the command is stopped.
  const tokens = await output.step("Keeping the tokens on this machine", () => keepTokens(cloud, found));

  await findOrCreateQueue(cloud, found.deadLetters, names.deadLetters, output);
  await findOrCreateQueue(cloud, found.flushes, names.flushes, output);
  const { database, bookmark } = await prepareDatabase(cloud, found, output);
  const configuration = await writeConfiguration(record, {
    names,
    database,
    vars,
    target: {
      accountId: cloud.account.id,
      isOnWorkersDev: found.worker !== "present" || (await worker.isOnWorkersDev()),
    },
  });
  await migrate(cloud, database, configuration, output);
  if (found.worker === "hollow") await deleteHollow(cloud, output);

  const secrets = Object.fromEntries(
    missingRoles(found).map((role) => [SECRETS[role], secretText(tokens, role)]),
  );
  const uploaded = await output.step(
    `Uploading version ${installation.version}`,
    () => uploadWorker(record, configuration, cloud.account.id, secrets),
    () => `Worker ${names.worker}, version ${installation.version}, is deployed`,
  );
  for (const name of Object.keys(secrets)) output.changed(`Secret ${name} is set`);

  const url = await addressOf(cloud, values["url"] as string | undefined, uploaded.targets);
  await record.write({ ...(await record.read()), url });
  const check = await verify(url, tokens, performance.now() - startedAt, uploaded.versionId, output);
  return {
    name: names.worker,
    account: cloud.account.id,
    version: installation.version,
    versionId: uploaded.versionId ?? null,
    url,
    isFirst: found.worker !== "present",
    done: output.done,
    bookmark,
    tokens: Object.fromEntries(ROLES.map((role) => [role, currentToken(tokens, role)?.value])),
    tokensFile: record.path,
    ...check,
  };
}

/** A queue has one consumer. Another Worker's would make the upload fail after half of it is done. */
function refuseForeignConsumers(worker: string, { flushes, deadLetters }: Found): void {
  for (const queue of [flushes, deadLetters]) {
    const foreign = queue?.consumers?.map(consumerOf).find((name) => name !== undefined && name !== worker);
    if (queue && foreign !== undefined)
      throw taken(`queue "${queue.queue_name}", which the Worker "${foreign}" consumes,`);
  }
}

async function keepTokens({ record }: Cloud, found: Found) {
  const known = await record.read();
  const tokens = [...known.tokens];
  for (const role of missingRoles(found)) {
    if (tokens.some((token) => token.role === role)) continue;
    const given = readSecretText(role, process.env[SECRETS[role]] ?? "");
    tokens.push(...(given.length > 0 ? given : [newToken(role)]));
  }
  await record.write({ ...known, tokens });
  return tokens;
}

async function findOrCreateQueue(
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

async function prepareDatabase(
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

async function migrate(
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
async function mayDeleteHollow({ names }: Cloud, { database }: Found, output: Output): Promise<void> {
  // Our database is created before the first upload, so with it the Worker is ours.
  if (database) return;
  const question = `The Worker ${names.worker} exists but has no code, as after an upload that was cut. Delete it and go on?`;
  const otherwise = `${question} Say so with --yes, or choose another --name.`;
  if (!(await output.confirm(question, otherwise))) throw new Failure(otherwise, EXIT.undecided);
}

/** Wrangler 4.156.2 crashes on a service without a script, which a first upload that was cut can leave behind. */
async function deleteHollow({ worker, names }: Cloud, output: Output): Promise<void> {
  await output.step(
    "Deleting what an interrupted upload left",
    () => worker.delete(),
    () => `The Worker ${names.worker} without code, left by an interrupted upload, is deleted`,
  );
}

async function addressOf(
  { worker, names, record }: Cloud,
  given: string | undefined,
  targets: string[],
): Promise<string> {
  const known = given ?? (await record.read()).url;
  const target = targets.find((found) => found.startsWith("https://") || found.startsWith("http://"));
  const url = known ?? target ?? `https://${names.worker}.${await worker.subdomain()}.workers.dev`;
  return url.replace(/\/+$/, "");
}

async function verify(
  url: string,
  tokens: Awaited<ReturnType<typeof keepTokens>>,
  durationMs: number,
  versionId: string | undefined,
  output: Output,
): Promise<Pick<Deployed, "health" | "problems">> {
  const read = currentToken(tokens, "read") ?? currentToken(tokens, "admin");
  const ingest = currentToken(tokens, "ingest");
  if (!read || !ingest) {
    output.warn(
      "The Worker was not asked for its health: this machine does not know its tokens. They are where it was first deployed.",
    );
    return { health: null, problems: [] };
  }
  const problems: string[] = [];
  let health: Deployed["health"] = null;
  try {
    const answer = await output.step(`Asking ${url}/health`, () =>
      awaitVersion(url, read.value, installation.version),
    );
    health = answer.health;
    problems.push(...health.problems);
    const key = `deploy-${versionId ?? randomUUID()}`;
    await output.step("Sending one sample", () => sendSample(url, ingest.value, key, durationMs));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.push(`${error.message} See: npx metrics-collector doctor`);
  }
  return { health, problems };
}
