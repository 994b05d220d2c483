/** The Worker in its runtime, in this process, without the development proxy that `npm start` puts around it. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join, parse } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { PROJECT, WRANGLER } from "./wrangler.ts";

const MIGRATIONS = join(PROJECT, "migrations");

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

/** Serves it on a free port, with the state of that folder: where there is none, with the tables as migrations make them. */
export async function serve({
  script,
  stateFolder,
  vars = {},
  objects = {},
}: RuntimeOptions): Promise<Runtime> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      modulesRoot: parse(script).dir,
      scriptPath: script,
      compatibilityDate: "2026-11-02",
      d1Databases: ["DB"],
      durableObjects: Object.fromEntries(
        Object.entries({ BUFFER: "MetricsBuffer", ...objects }).map(([binding, className]) => [
          binding,
          { className, useSQLite: true },
        ]),
      ),
      queueProducers: { QUEUE: "flushes" },
      queueConsumers: { flushes: { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 8 } },
      bindings: {
        MAX_ITEMS: "10000",
        MAX_WAITING_TIME: "300",
        OPEN_WITHOUT_TOKENS: "true",
        CORS_ORIGINS: "",
        ...vars,
      },
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
  for (const file of (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort()) {
    const sql = await readFile(join(MIGRATIONS, file), "utf8");
    await db.batch(sql.split("--> statement-breakpoint").map((statement) => db.prepare(statement)));
  }
}
