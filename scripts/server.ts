/** A server as `npm start` makes it, for programs: on a port and a state folder of its own, and ended whole. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT } from "./wrangler.ts";

/** What programs here read of `GET /metrics` and `GET /health`, as any program would that speaks to the Worker. */
export interface Listing {
  functions: { service: string; function: string; calls: number; errors: number; averageMs: number | null }[];
}
export interface Health {
  status: "ok" | "degraded";
  bufferedSamples: number;
  unconfirmedFlushes: number;
}

export interface ServerOptions {
  /** Where the Durable Object and D1 live. */
  stateFolder: string;
  vars?: Record<string, string>;
  port?: number;
  /** Served in place of what wrangler.toml says is `main`. */
  entry?: string;
  /** D1 there is migrated already, by an earlier start. */
  isMigrated?: boolean;
  /** Killed if it does not answer by then. */
  readyWithinMs?: number;
  /** One that may read, where the vars close the server. */
  token?: string;
}

/** Of servers that run: a group of its own does not end with this process, or by its Ctrl-C. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) signalGroup(pid, "SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

export class Server {
  readonly url: string;
  readonly #process: ChildProcess;
  #output = "";

  private constructor(url: string, process: ChildProcess) {
    this.url = url;
    this.#process = process;
    const { pid } = process;
    if (pid !== undefined) {
      running.add(pid);
      process.once("exit", () => running.delete(pid));
    }
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    }
  }

  /** Resolves once the server answers. @throws with all that the server printed where it does not. */
  static async start(options: ServerOptions): Promise<Server> {
    const { stateFolder, vars = {}, port, entry, isMigrated, readyWithinMs = 90_000, token } = options;
    const chosen = port ?? (await freePort());
    const args = [
      ...(entry === undefined ? [] : [entry]),
      ...(isMigrated ? ["--skip-migrations"] : []),
      "--port",
      String(chosen),
      "--ip",
      "127.0.0.1",
      "--inspector-port",
      String(await freePort()),
      "--env-file",
      await emptyFile(stateFolder),
    ];
    const settings = Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
    const process_ = spawn(
      process.execPath,
      [join(PROJECT, "scripts/start.ts"), ...args, "--persist-to", stateFolder, ...settings],
      // A process group of its own, so that all of it can be ended at once.
      { cwd: PROJECT, stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32" },
    );
    const server = new Server(`http://127.0.0.1:${chosen}`, process_);
    try {
      await server.#ready(Date.now() + readyWithinMs, token);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  /** Everything that the server printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Ends it in its own time, and what is left of it after five seconds at once. */
  async stop(): Promise<void> {
    this.#signal("SIGTERM");
    await Promise.race([this.#ended(), sleep(5_000)]);
    await this.kill();
  }

  /** SIGKILL to the whole process group: what a power cut would do. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#ended();
  }

  async #ready(deadline: number, token?: string): Promise<void> {
    while (Date.now() < deadline) {
      if (this.#process.exitCode !== null) break;
      if (await answers(this.url, token)) return;
      await sleep(100);
    }
    throw new Error(`The server at ${this.url} did not answer. It printed:\n${this.#output}`);
  }

  async #ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, "exit");
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#process;
    if (pid !== undefined) signalGroup(pid, signal);
  }
}

/** Read in place of `.dev.vars`: what a person set there is for that person's own server. */
async function emptyFile(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "empty.env");
  await writeFile(path, "");
  return path;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    if (process.platform === "win32") spawn("taskkill", ["/pid", String(pid), "/t", "/f"]);
    else process.kill(-pid, signal);
  } catch (error) {
    // The group is gone already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether a MetricsCollector answers there, well or not. */
export async function answers(url: string, token?: string): Promise<boolean> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  try {
    const response = await fetch(new URL("/health", url), { headers, signal: AbortSignal.timeout(5_000) });
    return "bufferedSamples" in ((await response.json()) as object);
  } catch {
    return false;
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
