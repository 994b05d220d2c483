/** Starts a server from a program, on a free port and with a given state folder, and ends all its processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT } from "./wrangler.ts";

/** The fields of `GET /metrics` that scripts and tests read. */
export interface Listing {
  functions: { service: string; function: string; calls: number; errors: number; averageMs: number | null }[];
}

/** The fields of `GET /health` that scripts and tests read. */
export interface Health {
  status: "ok" | "degraded";
  bufferedSamples: number;
  unconfirmedFlushes: number;
}

export interface ServerOptions {
  /**
   * `start`, the default, is `npm start`, which runs `wrangler dev`. `dev` is `npx metrics-collector dev`: it serves the
   * bundle that a deployment uploads, and needs half as much of the machine to start. It ignores `entry` and `isMigrated`.
   */
  command?: "start" | "dev";
  /** The folder for the data of the Durable Object and D1. */
  stateFolder: string;
  vars?: Record<string, string>;
  port?: number;
  /** The file to serve instead of `main` in wrangler.toml. */
  entry?: string;
  /** Skips the migrations, because an earlier start has applied them. */
  isMigrated?: boolean;
  /** The server is killed if it does not answer within this time. */
  readyWithinMs?: number;
  /** A token that may read, if the vars require tokens. */
  token?: string;
}

/** A server starts within seconds. This limit only ends a start that hangs, also on a busy machine. */
const READY_WITHIN_MS = 180_000;

/** Process groups of running servers. Neither Ctrl-C nor the end of this process ends another process group. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) signalGroup(pid, "SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

export class Server {
  readonly url: string;
  readonly stateFolder: string;
  readonly #process: ChildProcess;
  #output = "";

  private constructor(url: string, stateFolder: string, process: ChildProcess) {
    this.url = url;
    this.stateFolder = stateFolder;
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

  /**
   * Resolves once the server answers.
   *
   * @throws {Error} with everything that the server printed, if it ends or does not answer in time
   */
  static async start(options: ServerOptions): Promise<Server> {
    const { command = "start", stateFolder, readyWithinMs = READY_WITHIN_MS, token } = options;
    const port = options.port ?? (await freePort());
    const { args, env } = await (command === "dev" ? devCommand : startCommand)({ ...options, port });
    const process_ = spawn(
      process.execPath,
      args,
      // A process group of its own, so that one signal reaches all its processes.
      { cwd: PROJECT, env, stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32" },
    );
    const server = new Server(`http://127.0.0.1:${port}`, stateFolder, process_);
    try {
      const deadline = Date.now() + readyWithinMs;
      // It answers before its tables exist, and prints its address once they do.
      if (command === "dev") await server.#printed(server.url, deadline);
      await server.#ready(deadline, token);
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  /** Process id of `npm start`, which leads the process group. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Everything that the server has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Asks the server to stop, and kills it if it has not stopped after five seconds. */
  async stop(): Promise<void> {
    this.#signal("SIGTERM");
    await Promise.race([this.#ended(), sleep(5_000)]);
    await this.kill();
  }

  /** Sends SIGKILL to the whole process group, which acts like a power cut. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#ended();
  }

  async #ready(deadline: number, token?: string): Promise<void> {
    while (Date.now() < deadline) {
      if (this.#process.exitCode !== null) break;
      if ((await probe(this.url, token)) === "collector") return;
      await sleep(100);
    }
    throw new Error(`The server at ${this.url} did not answer. It printed:\n${this.#output}`);
  }

  /** Resolves once the server has printed the text, or has ended, or at the deadline. */
  async #printed(text: string, deadline: number): Promise<void> {
    while (!this.#output.includes(text) && this.#process.exitCode === null && Date.now() < deadline) {
      await sleep(50);
    }
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

interface Invocation {
  /** Arguments of Node.js. */
  args: string[];
  env: NodeJS.ProcessEnv;
}

async function startCommand({
  stateFolder,
  vars = {},
  port,
  entry,
  isMigrated,
}: ServerOptions): Promise<Invocation> {
  const args = [
    join(PROJECT, "scripts/start.ts"),
    // The entry file must come first, since `--var` takes all arguments up to the next option.
    ...(entry === undefined ? [] : [entry]),
    ...(isMigrated ? ["--skip-migrations"] : []),
    "--port",
    String(port),
    "--ip",
    "127.0.0.1",
    "--inspector-port",
    String(await freePort()),
    "--env-file",
    await emptyFile(stateFolder),
    "--persist-to",
    stateFolder,
    ...Object.entries(vars).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
  ];
  return { args, env: process.env };
}

async function devCommand({ stateFolder, vars = {}, port }: ServerOptions): Promise<Invocation> {
  const isToken = ([name]: [string, string]) => name.endsWith("_TOKENS");
  const settings = Object.entries(vars).filter((setting) => !isToken(setting));
  const args = [
    join(PROJECT, "cli/bin.js"),
    "dev",
    "--data",
    stateFolder,
    "--port",
    String(port),
    ...settings.flatMap(([name, value]) => ["--var", `${name}=${value}`]),
  ];
  const tokens = { INGEST_TOKENS: "", READ_TOKENS: "", ADMIN_TOKENS: "" };
  return {
    args,
    env: { ...process.env, ...tokens, ...Object.fromEntries(Object.entries(vars).filter(isToken)) },
  };
}

/** An empty file for `--env-file`, so that the server ignores a developer's own `.dev.vars`. */
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

/**
 * Finds out what answers at an address: a MetricsCollector, healthy or not, that accepts the token; one that does not;
 * another program; or nothing.
 */
export async function probe(
  url: string,
  token?: string,
): Promise<"collector" | "closed" | "other" | "nothing"> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(new URL("/health", url), { headers, signal: AbortSignal.timeout(5_000) });
  } catch {
    return "nothing";
  }
  try {
    const body = (await response.json()) as object;
    if ("bufferedSamples" in body) return "collector";
    return [401, 403, 503].includes(response.status) && "error" in body ? "closed" : "other";
  } catch {
    return "other";
  }
}

/**
 * A port of 127.0.0.1 that is free now. It lies below those that systems give to outgoing connections, so that none of
 * these takes it before the server does.
 */
export async function freePort(): Promise<number> {
  while (true) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const probe = createServer().listen(port, "127.0.0.1");
    try {
      await once(probe, "listening");
    } catch {
      continue;
    }
    probe.close();
    await once(probe, "close");
    return port;
  }
}
