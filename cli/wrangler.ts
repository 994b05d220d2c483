/** Runs the wrangler that this package pins, without a terminal, and collects what it prints. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { installation } from "./installation.ts";

export interface WranglerRun {
  code: number | null;
  /** stdout and stderr, in the order in which they came, without colours. */
  output: string;
  stdout: string;
}

/**
 * WARNING: off a terminal wrangler answers its own questions with yes. Call only commands for which that is right.
 */
export async function runWrangler(
  args: readonly string[],
  { cwd = installation.root, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<WranglerRun> {
  const child = spawn(process.execPath, [installation.wrangler, ...args], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NO_COLOR: "1",
      FORCE_COLOR: "0",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      ...env,
    },
  });
  let output = "";
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const stop = () => child.kill("SIGTERM");
  process.once("exit", stop);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output, stdout };
  } finally {
    process.off("exit", stop);
  }
}
