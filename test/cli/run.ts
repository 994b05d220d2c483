/** Runs the command line as a person does, in a process of its own, against the stand-in for the Cloudflare API. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installation } from "../../cli/installation.ts";
import { FIRST_ACCOUNT, type StandIn } from "./cloudflare-api/stand-in.ts";

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A machine of its own: a home folder without any login, and what is set in its environment. */
export class Machine {
  readonly home: string;
  readonly env: Record<string, string>;
  #running: ChildProcess | undefined;

  private constructor(home: string, env: Record<string, string>) {
    this.home = home;
    this.env = env;
  }

  static async start(standIn: StandIn, more: Record<string, string> = {}): Promise<Machine> {
    const home = await mkdtemp(join(tmpdir(), "metrics-collector-home-"));
    const { PATH = "" } = process.env;
    return new Machine(home, {
      PATH,
      HOME: home,
      XDG_CONFIG_HOME: join(home, ".config"),
      TMPDIR: home,
      CLOUDFLARE_API_BASE_URL: standIn.url,
      CLOUDFLARE_API_TOKEN: "good",
      // Half the time of a wrangler command is reading its own code.
      NODE_COMPILE_CACHE: join(tmpdir(), "metrics-collector-compiled"),
      ...more,
    });
  }

  async run(
    args: string[],
    { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
  ): Promise<Ran> {
    const child = spawn(process.execPath, [join(installation.root, "cli/bin.js"), ...args], {
      cwd: this.home,
      env: { ...this.env, ...env },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      // A group of its own, so that what it starts can be ended with it.
      detached: true,
    });
    this.#running = child;
    const ran: Ran = { code: null, stdout: "", stderr: "" };
    child.stdout!.on("data", (chunk: Buffer) => (ran.stdout += chunk.toString()));
    child.stderr!.on("data", (chunk: Buffer) => (ran.stderr += chunk.toString()));
    if (input !== undefined) child.stdin!.end(input);
    [ran.code] = (await once(child, "close")) as [number | null];
    return ran;
  }

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#signal("SIGINT");
  }

  /** SIGKILL to the running command and all that it started: what a closed laptop would do. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#running?.pid;
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** The tokens that the machine knows, by role. */
  async tokens(name = "metrics-collector", account = FIRST_ACCOUNT): Promise<Record<string, string>> {
    const path = join(this.home, ".config/metrics-collector", account, name, "installation.json");
    const { tokens } = JSON.parse(await readFile(path, "utf8")) as {
      tokens: { role: string; value: string }[];
    };
    return Object.fromEntries(tokens.map(({ role, value }) => [role, value]));
  }

  async remove(): Promise<void> {
    this.kill();
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Null for a command that was killed. @throws with all that it printed where it ended otherwise */
export function expectExit({ code, stdout, stderr }: Ran, expected: number | null): void {
  if (code !== expected) throw new Error(`Exit ${code} instead of ${expected}.\n${stderr}\n${stdout}`);
}
