/**
 * Deploys what wrangler.toml names, as Cloudflare's own builds need it: the button "Deploy to Cloudflare" creates the
 * database and the queues, writes their names and ids into wrangler.toml, and runs `npm run deploy` with WORKERS_CI=1.
 */
import { readFile } from "node:fs/promises";
import { build } from "../build.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { installation } from "../installation.ts";
import type { Output } from "../output.ts";
import { runWrangler } from "../wrangler.ts";
import { failureOf } from "./upload.ts";

interface Configured {
  queues?: {
    producers?: { queue: string }[];
    consumers?: { queue: string; dead_letter_queue?: string }[];
  };
}

/** Only in a clone: a published package has no wrangler.toml that anybody could have written into. */
export const isCloudflareBuild = () => process.env.WORKERS_CI === "1" && installation.isClone;

export async function deployAsConfigured(output: Output): Promise<ExitCode> {
  await output.step("Building the Worker", build);
  const config = ["--config", installation.wranglerToml];
  for (const queue of await unprovisionedQueues()) {
    await output.step(`Creating the queue ${queue}`, () => createQueue(queue));
  }
  await output.step(
    "Applying migrations",
    () =>
      run(["d1", "migrations", "apply", "DB", "--remote", ...config], "The migrations were not all applied."),
    () => "Migrations are applied",
  );
  const { output: said } = await output.step(
    "Uploading",
    () => run(["deploy", ...config], "The Worker was not deployed."),
    () => "The Worker is deployed",
  );
  output.print(said.trim());
  return EXIT.done;
}

/** Queues that are only consumed. Nothing but this creates them, and a deployment stops without them. */
async function unprovisionedQueues(): Promise<string[]> {
  const { queues } = JSON.parse(await readFile(installation.template, "utf8")) as Configured;
  const produced = new Set(queues?.producers?.map(({ queue }) => queue));
  const consumed = (queues?.consumers ?? []).flatMap((consumer) => [
    consumer.queue,
    consumer.dead_letter_queue ?? "",
  ]);
  return [...new Set(consumed)].filter((queue) => queue !== "" && !produced.has(queue));
}

async function createQueue(queue: string): Promise<void> {
  const created = await runWrangler(["queues", "create", queue]);
  const isThere = created.code === 0 || /already (taken|exists)|\[code: 11009\]/.test(created.output);
  if (!isThere) throw failureOf(`The queue ${queue} was not created.`, created);
}

async function run(args: string[], what: string) {
  const result = await runWrangler(args);
  if (result.code !== 0) throw failureOf(what, result);
  return result;
}
