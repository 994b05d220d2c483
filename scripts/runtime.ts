/** The Worker in its runtime, in this process, without the development proxy that `npm start` puts around it. */
import { execFile } from "node:child_process";
import { join, parse } from "node:path";
import { promisify } from "node:util";
import { readD1Migrations } from "@cloudflare/vitest-plugin";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_readConfig } from "wrangler";
import { PROJECT, WRANGLER } from "./wrangler.ts";

/** Bundles a Worker as `wrangler deploy` would, into a folder. Gives the file to serve. */
export async function bundle(entry: string, folder: string): Promise<string> {
  await promisify(execFile)(process.execPath, [WRANGLER, "deploy", entry, "--dry-run", "--outdir", folder], {
    cwd: PROJECT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  return join(folder, `${parse(entry).name}.js`);
}

export interface RuntimeOptions {
  /** What `bundle` made. */
  script: string;
  stateFolder: string;
  vars?: Record<string, string>;
  /** Classes of Durable Objects besides the buffer, by binding. */
  objects?: Record<string, string>;
}

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

export interface Runtime extends AsyncDisposable {
  url: string;
  db: Database;
}

/** Serves it on a free port as wrangler.toml says, but open; with its state in a new folder, and the tables made. */
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
        Object.entries({ BUFFER: "MetricsBuffer", ...objects }).map(([binding, className]) => [
          binding,
          { className, useSQLite: true },
        ]),
      ),
      queueProducers: { QUEUE: "flushes" },
      queueConsumers: { flushes: { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 8 } },
      bindings: { ...(config.vars as Record<string, string>), OPEN_WITHOUT_TOKENS: "true", ...vars },
      defaultPersistRoot: stateFolder,
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
