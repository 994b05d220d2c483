/** Builds the Worker and the dashboard into `dist/`, as a deployment uploads them and `dev` serves them. */
import { readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Failure } from "./failure.ts";
import { installation } from "./installation.ts";
import { runWrangler } from "./wrangler.ts";

/** Everything that the bundles are made of. */
const INPUTS = [
  "src",
  "dashboard",
  "scripts",
  "migrations",
  "package.json",
  "package-lock.json",
  "wrangler.toml",
];

/**
 * In a clone, builds if a source is newer than the bundle. A published package holds the bundle already.
 *
 * @throws {Failure} with what the build printed
 */
export async function build(): Promise<void> {
  if (!installation.isClone || (await isFresh())) return;
  const { code, output } = await runWrangler([
    "deploy",
    "--dry-run",
    "--config",
    installation.wranglerToml,
    "--outdir",
    dirname(installation.worker),
  ]);
  if (code !== 0) throw new Failure(`The Worker does not build:\n${output.trim()}`);
  // Imported here only: it takes half a second, and a published package never needs it.
  const { experimental_readRawConfig } = await import("wrangler");
  const { rawConfig } = experimental_readRawConfig({ config: installation.wranglerToml });
  await writeFile(installation.template, `${JSON.stringify(rawConfig, null, 2)}\n`);
}

async function isFresh(): Promise<boolean> {
  const { worker, template, dashboard } = installation;
  const outputs = [worker, template, join(dashboard, "index.html")];
  const built = Math.min(...(await Promise.all(outputs.map(changedAt))));
  const inputs = await Promise.all(INPUTS.map((path) => newestIn(join(installation.root, path))));
  return inputs.every((changed) => changed < built);
}

/** The latest change below a path, a file's or a folder's, in epoch milliseconds. */
async function newestIn(path: string): Promise<number> {
  const entries = await readdir(path, { recursive: true }).catch((): string[] => []);
  const times = await Promise.all([path, ...entries.map((entry) => join(path, entry))].map(changedAt));
  return Math.max(...times);
}

/** 0 where there is nothing. */
async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? 0;
}
