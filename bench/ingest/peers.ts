/** Runs the peers of the ingest benchmark, if they are installed: VictoriaMetrics, and Redis with SQLite. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../scripts/server.ts";

export interface Peer extends AsyncDisposable {
  url: string;
  pid: number;
}

/**
 * Starts VictoriaMetrics. It answers before it writes: data stays in memory for about a second. Undefined if it is not
 * installed.
 */
export async function startVictoriaMetrics(folder: string): Promise<Peer | undefined> {
  const port = await freePort();
  const server = spawn(
    "victoria-metrics",
    [`-storageDataPath=${join(folder, "victoria")}`, `-httpListenAddr=127.0.0.1:${port}`],
    { stdio: "ignore" },
  );
  const url = `http://127.0.0.1:${port}/api/v1/import`;
  if (!(await answers(server, `http://127.0.0.1:${port}/health`))) return undefined;
  return { url, pid: server.pid!, [Symbol.asyncDispose]: () => end(server) };
}

/**
 * Calls per second of the project's first design: a push to a Redis list for each call, then a row in SQLite. Undefined
 * if redis-server or python3 is not installed.
 */
export async function measureOriginal(folder: string, seconds: number): Promise<number | undefined> {
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    folder,
    "--save",
    "",
    "--appendonly",
    "yes",
  ];
  const redis = spawn("redis-server", args, { stdio: "ignore" });
  const failed = once(redis, "error").then(() => true);
  if (await Promise.race([failed, sleep(500).then(() => false)])) return undefined;
  try {
    const script = join(import.meta.dirname, "original.py");
    const { stdout } = await promisify(execFile)("python3", [script, String(port), folder, String(seconds)]);
    return Number(stdout);
  } catch {
    return undefined;
  } finally {
    await end(redis);
  }
}

async function answers(server: ChildProcess, url: string): Promise<boolean> {
  let isMissing = false;
  server.on("error", () => (isMissing = true));
  for (let i = 0; i < 100; i++) {
    await sleep(100);
    if (isMissing) return false;
    if (
      await fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      return true;
  }
  await end(server);
  return false;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill("SIGKILL");
  await once(server, "exit");
}
