/** Runs a script of `scripts/` to its end, as `npm run` does. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PROJECT } from "../../scripts/wrangler.ts";

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function runScript(
  name: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [join(PROJECT, "scripts", name), ...args], {
    cwd: PROJECT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ran: Ran = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (ran.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (ran.stderr += chunk.toString()));
  [ran.code] = (await once(child, "close")) as [number | null];
  return ran;
}
