/**
 * The steps of a deployment. Each finds what an earlier, interrupted run has done, so the command ends in the same
 * state however often it was stopped.
 */
import { build } from "../build.ts";
import { selectionOf, type Values } from "../command.ts";
import { consumerOf } from "../cloudflare/queues.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { type Cloud, type Found, inspect, openCloud, taken } from "../installed.ts";
import { installation } from "../installation.ts";
import type { Output } from "../output.ts";
import { currentToken, newToken, readSecretText, ROLES, SECRETS, secretText } from "../tokens/token-entry.ts";
import { checkDeployed } from "./check-deployed.ts";
import type { Deployed } from "./deployed.ts";
import { missingRoles } from "./plan.ts";
import { deleteHollow, findOrCreateQueue, mayDeleteHollow, migrate, prepareDatabase } from "./prepare.ts";
import { summaryOf } from "./summary.ts";
import { uploadWorker } from "./upload.ts";
import { chooseVars } from "./vars.ts";
import { writeConfiguration } from "./wrangler-configuration.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export async function deploy(values: Values, output: Output): Promise<ExitCode> {
  const interrupt = () => {
    process.stderr.write(`\nInterrupted.\n${account(output)}\n`);
    process.exit(EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const deployed = await run(values, output);
    // Once, and where no log keeps them.
    const mayShow = values["show-tokens"] === true || (deployed.isFirst && process.stdout.isTTY);
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
  if (found.worker !== "present") {
    await output.step("Looking for a workers.dev subdomain", () => worker.subdomain());
  }

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
  const check = await checkDeployed(url, tokens, performance.now() - startedAt, uploaded.versionId, output);
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
