/**
 * Installs and builds the senders of others, in a folder for temporary files that later runs use again. What cannot be
 * installed is skipped, with a line on stderr.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const PROGRAMS = join(import.meta.dirname, "programs");
const CACHE = join(tmpdir(), "metrics-collector-peers-otlp");
/** Only ends an installation that hangs. */
const INSTALLED_WITHIN_MS = 600_000;

/** Starts a program with one argument. Returns what it printed. */
export type Run = (argument: string) => Promise<string>;

const JAVASCRIPT = [
  "@opentelemetry/exporter-metrics-otlp-http@0.223.0",
  "@opentelemetry/exporter-metrics-otlp-proto@0.223.0",
  "@opentelemetry/exporter-trace-otlp-http@0.223.1",
  "@opentelemetry/exporter-trace-otlp-proto@0.223.1",
  "@opentelemetry/resources@2.12.1",
  "@opentelemetry/sdk-metrics@2.12.1",
  "@opentelemetry/sdk-trace-base@2.12.1",
];
const PYTHON = ["opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"];

export function javascriptSender(): Promise<Run | undefined> {
  return installed("the SDK for JavaScript", ["sender.mjs"], async (folder) => {
    await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    await execute("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...JAVASCRIPT], {
      cwd: folder,
      timeout: INSTALLED_WITHIN_MS,
    });
    return (at) => [process.execPath, join(at, "sender.mjs")];
  });
}

export function pythonSender(): Promise<Run | undefined> {
  return installed("the SDK for Python", ["sender.py"], async (folder) => {
    // Not a virtual environment, which cannot be moved.
    const target = ["--target", join(folder, "packages")];
    await execute("python3", ["-m", "pip", "install", "--quiet", ...target, ...PYTHON], {
      timeout: INSTALLED_WITHIN_MS,
    });
    return (at) => ["python3", join(at, "sender.py")];
  });
}

export function goSender(): Promise<Run | undefined> {
  return installed("the SDK for Go", ["go/main.go", "go/go.mod", "go/go.sum"], goProgram("go"));
}

/** The argument is the path of a configuration. It runs until it is ended. */
export async function collectorProgram(): Promise<string | undefined> {
  const files = ["collector/main.go", "collector/go.mod", "collector/go.sum"];
  const command = await prepared("the collector", files, goProgram("collector"));
  return command?.[0];
}

type Prepare = (folder: string) => Promise<(at: string) => string[]>;

function goProgram(name: string): Prepare {
  return async (folder) => {
    await execute("go", ["build", "-o", join(folder, "program"), "."], {
      cwd: join(folder, name),
      timeout: INSTALLED_WITHIN_MS,
    });
    return (at) => [join(at, "program")];
  };
}

async function installed(
  title: string,
  files: readonly string[],
  prepare: Prepare,
): Promise<Run | undefined> {
  const command = await prepared(title, files, prepare);
  if (command === undefined) return undefined;
  const [program, ...args] = command;
  return async (argument) => {
    const { stdout } = await execute(program!, [...args, argument], {
      env: { ...process.env, ...pythonPath(args) },
      timeout: 280_000,
    });
    return stdout;
  };
}

function pythonPath(args: readonly string[]): Record<string, string> {
  const [script = ""] = args;
  return script.endsWith(".py") ? { PYTHONPATH: join(script, "..", "packages") } : {};
}

/** The command of a program. The folder is named by the content of its files, so that another version gets another. */
async function prepared(
  title: string,
  files: readonly string[],
  prepare: Prepare,
): Promise<string[] | undefined> {
  const contents = await Promise.all(files.map((file) => readFile(join(PROGRAMS, file))));
  const hash = createHash("sha256");
  for (const content of [...contents, JSON.stringify([JAVASCRIPT, PYTHON])]) hash.update(content);
  const folder = join(CACHE, hash.digest("hex").slice(0, 16));
  const done = join(folder, "command.json");
  const known = await readFile(done, "utf8").catch(() => undefined);
  if (known !== undefined) return JSON.parse(known) as string[];
  const building = `${folder}-${process.pid}`;
  try {
    for (const file of files) await cp(join(PROGRAMS, file), join(building, file), { recursive: true });
    const commandAt = await prepare(building);
    await mkdir(CACHE, { recursive: true });
    await writeFile(join(building, "command.json"), JSON.stringify(commandAt(folder)));
    await rename(building, folder).catch(() => access(done));
    return commandAt(folder);
  } catch (error) {
    process.stderr.write(
      `\nSKIPPED: ${title}, which cannot be installed: ${String(error).slice(0, 1_000)}\n`,
    );
    return undefined;
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}
