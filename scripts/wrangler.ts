/** Runs the wrangler of this project with the Node.js that runs this script. */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");

export const WRANGLER = join(
  dirname(createRequire(import.meta.url).resolve("wrangler/package.json")),
  "bin/wrangler.js",
);

export function startWrangler(args: readonly string[], stdio: StdioOptions): ChildProcess {
  return spawn(process.execPath, [WRANGLER, ...args], {
    cwd: PROJECT,
    stdio,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
}

/** Runs wrangler to its end. If it fails, this process exits with the same code. wrangler asks no questions. */
export async function runWrangler(args: readonly string[]): Promise<void> {
  // Without standard input, wrangler takes its defaults instead of asking.
  const [code] = (await once(startWrangler(args, ["ignore", "inherit", "inherit"]), "exit")) as [
    number | null,
  ];
  if (code !== 0) process.exit(code ?? 1);
}

/** The given options in `args`, each with its value. */
export function pickOptions(args: readonly string[], ...options: string[]): string[] {
  return args.flatMap((arg, i) => {
    if (options.includes(arg)) return [arg, ...args.slice(i + 1, i + 2)];
    return options.some((option) => arg.startsWith(`${option}=`)) ? [arg] : [];
  });
}

/** The value of the given option in `args`, the last one if it is there several times. */
export function pickValue(args: readonly string[], ...options: string[]): string | undefined {
  return pickValues(args, ...options).at(-1);
}

export function pickValues(args: readonly string[], ...options: string[]): string[] {
  return pickOptions(args, ...options)
    .map((arg) => arg.replace(/^--?[\w-]+=/, ""))
    .filter((arg) => !options.includes(arg));
}
