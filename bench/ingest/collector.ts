/** The Worker under miniflare, in this process: what it takes, without the development proxy around it. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

const ROOT = join(import.meta.dirname, "../..");

export async function bundle(folder: string): Promise<void> {
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const entry = join(import.meta.dirname, "worker.ts");
  await promisify(execFile)(process.execPath, [wrangler, "deploy", entry, "--dry-run", "--outdir", folder], {
    cwd: ROOT,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
}

export interface Collector extends AsyncDisposable {
  url: string;
  /** Of the process that serves. */
  pid: number;
}

/** Serves the bundle with empty storage. */
export async function serve(
  folder: string,
  name: string,
  vars: Record<string, string> = {},
): Promise<Collector> {
  const others = new Set(await childrenOf(process.pid));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      modulesRoot: folder,
      scriptPath: join(folder, "worker.js"),
      compatibilityDate: "2026-11-02",
      d1Databases: ["DB"],
      durableObjects: {
        BUFFER: { className: "MetricsBuffer", useSQLite: true },
        STORE: { className: "BareStore", useSQLite: true },
      },
      queueProducers: { QUEUE: "flushes" },
      queueConsumers: { flushes: { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 8 } },
      bindings: {
        MAX_ITEMS: "10000",
        MAX_WAITING_TIME: "300",
        OPEN_WITHOUT_TOKENS: "true",
        CORS_ORIGINS: "",
        COUNTED: "false",
        ...vars,
      },
      defaultPersistRoot: join(folder, `state-${name}`),
      handleStructuredLogs: () => {},
    }),
  );
  const db = await miniflare.getD1Database("DB");
  const migrations = join(ROOT, "migrations");
  for (const file of (await readdir(migrations)).filter((each) => each.endsWith(".sql")).sort()) {
    const sql = await readFile(join(migrations, file), "utf8");
    await db.batch(sql.split("--> statement-breakpoint").map((statement) => db.prepare(statement)));
  }
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  const pid = (await childrenOf(process.pid)).find((child) => !others.has(child)) ?? 0;
  return { url, pid, [Symbol.asyncDispose]: () => miniflare.dispose() };
}

/** Seconds of processor time that a process has used; 0 where the system does not tell. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter((pid) => pid > 0);
  const parents = await Promise.all(pids.map(async (pid) => Number((await statOf(pid))[1])));
  return pids.filter((_, i) => parents[i] === parent);
}

/** What follows the command's name, from the state on: then comes the parent. */
async function statOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
