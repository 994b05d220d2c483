/** Bundles a Worker and serves it with miniflare. Tests and benchmarks use it where the proxy of `wrangler dev` disturbs. */
import { execFile } from "node:child_process";
import { join, parse } from "node:path";
import { promisify } from "node:util";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { PROJECT, WRANGLER } from "./wrangler.ts";

/** Bundles a Worker into a folder as `wrangler deploy` would. Returns the path of the bundle. */
export async function bundle(entry: string, folder: string): Promise<string> {
  await promisify(execFile)(process.execPath, [WRANGLER, "deploy", entry, "--dry-run", "--outdir", folder], {
    cwd: PROJECT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  return join(folder, `${parse(entry).name}.js`);
}

export interface RuntimeOptions {
  /** Path of a bundle, as `bundle` returns it. */
  script: string;
  stateFolder: string;
  vars?: Record<string, string>;
  /** Class names of more Durable Objects, besides the Worker's own, by binding. */
  objects?: Record<string, string>;
}

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

export interface Runtime extends AsyncDisposable {
  url: string;
  db: Database;
}

/**
 * Creates the tables in D1 and serves the bundle on a free port of 127.0.0.1. Settings come from wrangler.toml, except
 * that the server is open without tokens. Disposing the result stops the server.
 */
export async function serve({
  script,
  stateFolder,
  vars = {},
  objects = {},
}: RuntimeOptions): Promise<Runtime> {
  const config = unstable_readConfig({ config: join(PROJECT, "wrangler.toml") });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      modulesRoot: parse(script).dir,
      scriptPath: script,
      compatibilityDate: config.compatibility_date!,
      d1Databases: ["DB"],
      durableObjects: Object.fromEntries(
        Object.entries({ BUFFER: "MetricsBuffer", ALERTS: "Alerts", ...objects }).map(
          ([binding, className]) => [binding, { className, useSQLite: true }],
        ),
      ),
      queueProducers: { QUEUE: "flushes" },
      queueConsumers: { flushes: { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 8 } },
      bindings: { ...(config.vars as Record<string, string>), OPEN_WITHOUT_TOKENS: "true", ...vars },
      resourcePersistencePath: stateFolder,
      handleStructuredLogs: () => {},
    }),
  );
  const db = await miniflare.getD1Database("DB");
  await migrate(db);
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  return { url, db, [Symbol.asyncDispose]: () => miniflare.dispose() };
}

async function migrate(db: Database): Promise<void> {
  for (const { queries } of await readD1Migrations(join(PROJECT, "migrations"))) {
    await db.batch(queries.map((query) => db.prepare(query)));
  }
}
