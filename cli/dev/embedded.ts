/** Runs the Worker, its buffer, its queue and its database inside this process, with all data in one folder. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_splitSqlQuery } from "wrangler";
import { installation } from "../installation.ts";

export interface EmbeddedOptions {
  /** The wrangler configuration to serve. */
  configuration: string;
  migrations: string;
  /** Where the Durable Object and D1 are stored. */
  state: string;
  port: number;
  vars: Record<string, string>;
  onError: (message: string) => void;
}

export interface Embedded extends AsyncDisposable {
  url: string;
  /** Runs what the cron trigger runs when deployed. */
  runHourly(): Promise<void>;
}

type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

const NAME = "metrics-collector";

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { configuration, migrations, state, port, vars, onError } = options;
  const {
    modulesRules: _,
    bindings,
    ...workerOptions
  } = unstable_getMiniflareWorkerOptions(configuration).workerOptions;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...workerOptions,
      name: NAME,
      modules: true,
      modulesRoot: join(installation.worker, ".."),
      scriptPath: installation.worker,
      bindings: { ...(bindings as Record<string, string>), ...vars },
      host: "127.0.0.1",
      port,
      resourcePersistencePath: state,
      handleStructuredLogs: ({ level, message }: { level: string; message: string }) => {
        if (level === "error") onError(message);
      },
    }),
  );
  try {
    const url = (await miniflare.ready).href.replace(/\/$/, "");
    await migrate(await miniflare.getD1Database("DB"), migrations);
    return {
      url,
      runHourly: async () => {
        const worker = await miniflare.getWorker(NAME);
        await worker.scheduled({ cron: "17 * * * *" });
      },
      [Symbol.asyncDispose]: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** Each file and its entry in the ledger are one transaction. The ledger is the one that wrangler keeps. */
async function migrate(db: Database, folder: string): Promise<void> {
  await db
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`,
    )
    .run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith(".sql") || applied.has(file)) continue;
    const statements = unstable_splitSqlQuery(await readFile(join(folder, file), "utf8"));
    await db.batch([
      ...statements.map((sql) => db.prepare(sql)),
      db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(file),
    ]);
  }
}
