/**
 * `npm start`: migrates the local D1 and serves the Worker and the dashboard with `wrangler dev`. It starts only if the
 * state folder and the port are free. `--skip-migrations` skips the migrations. `wrangler dev` gets all other arguments.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { readLocalVars } from "./local-vars.ts";
import { lockState } from "./state-lock.ts";
import { pickOptions, pickValue, PROJECT, runWrangler, startWrangler } from "./wrangler.ts";

/** Small values, so that a person sees flushes happen. `.dev.vars` and `--var` override them. */
const LOCAL_VARS = { MAX_ITEMS: "10", MAX_WAITING_TIME: "5", OPEN_WITHOUT_TOKENS: "true" };
const TOKENS = ["INGEST_TOKENS", "READ_TOKENS", "ADMIN_TOKENS"];
const DEFAULT_PORT = 8787;
const PORT_FREE_WITHIN_MS = 3_000;
/** wrangler prints notes around the time when it is ready. The greeting follows once it has been quiet for so long. */
const QUIET_MS = 500;
/** How often it looks whether npm still runs. */
const PARENT_EVERY_MS = 1_000;

const given = process.argv.slice(2);
const args = given.filter((arg) => arg !== "--skip-migrations");
const port = Number(pickValue(args, "--port") ?? DEFAULT_PORT);
const host = pickValue(args, "--ip") ?? "127.0.0.1";

const lock = await lockState(stateFolder()).catch(refuse);
if (port !== 0) await waitForPort().catch(refuse);

const where = pickOptions(args, "--persist-to", "--config", "-c", "--env", "-e");
if (args.length === given.length) await runWrangler(["d1", "migrations", "apply", "DB", "--local", ...where]);

const own = readLocalVars(args);
const vars = Object.entries(LOCAL_VARS)
  .filter(([name]) => !(name in own))
  .flatMap(([name, value]) => ["--var", `${name}:${value}`]);
// The entry file must come first, since `--var` takes all arguments up to the next option. With an entry file, wrangler
// would look for a configuration beside that file.
const entry = args.slice(0, args[0]?.startsWith("-") === false ? 1 : 0);
const isConfigured = entry.length === 0 || pickOptions(args, "--config", "-c").length > 0;
const config = isConfigured ? [] : ["--config", join(PROJECT, "wrangler.toml")];
const defaults = [
  ...(pickValue(args, "--port") === undefined ? ["--port", String(port)] : []),
  // Its list of keys would come after the last line, which is the page's address.
  "--show-interactive-dev-session=false",
];
// wrangler writes into a pipe, so it cannot see that a terminal shows its output.
if (process.stdout.isTTY) process.env["FORCE_COLOR"] ??= "1";
let greeting: NodeJS.Timeout | undefined;
let isGreeted = false;
const server = startWrangler(
  ["dev", ...entry, ...config, ...defaults, ...vars, ...args.slice(entry.length)],
  ["inherit", "pipe", "pipe"],
);
if (server.pid !== undefined) await lock.share(server.pid);
forward(server.stdout!, process.stdout);
forward(server.stderr!, process.stderr);

// The terminal sends Ctrl-C to wrangler as well. wrangler ends first, and then this process.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => server.kill("SIGTERM"));
if (process.env["npm_lifecycle_event"] !== undefined) endWithNpm();
server.on("exit", (code) => process.exit(code ?? 0));

/** A signal to npm alone ends npm and leaves its script running, which nobody would see any more. */
function endWithNpm(): void {
  const started = npmProcess();
  const timer = setInterval(() => {
    if (npmProcess() === started) return;
    clearInterval(timer);
    server.kill("SIGTERM");
  }, PARENT_EVERY_MS).unref();
}

/** The process of npm. Between it and this one there may be a shell, whose parent only Linux tells. */
function npmProcess(): number {
  try {
    const [, command, parent] =
      /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, "utf8")) ?? [];
    return command !== undefined && /^(?:ba|da|z)?sh$/.test(command) ? Number(parent) : process.ppid;
  } catch {
    return process.ppid;
  }
}

/** Passes wrangler's output on, and adds the greeting once wrangler is ready and has printed its notes. */
function forward(from: Readable, to: Writable): void {
  from.on("data", (chunk: Buffer) => {
    to.write(chunk);
    const text = stripVTControlCharacters(chunk.toString());
    const [, url] = /Ready on (http\S+)/.exec(text) ?? [];
    if (url !== undefined) greeting = setTimeout(() => greet(new URL(url)), QUIET_MS);
    else if (!isGreeted && !/^\[wrangler:info\] [A-Z]+ \//.test(text)) greeting?.refresh();
  });
}

function greet(url: URL): void {
  isGreeted = true;
  // Each of these names also means 127.0.0.1, which the README uses.
  if (["localhost", "0.0.0.0", "[::]"].includes(url.hostname)) url.hostname = "127.0.0.1";
  console.log(`
${whoMayEnter({ ...LOCAL_VARS, ...own })}
Settings and tokens are read at the start: after a change in .dev.vars, stop the server (Ctrl-C) and start it again.
The page: ${url.origin}`);
}

function whoMayEnter(settings: Record<string, string>): string {
  const set = TOKENS.filter((name) => /[^\s,]/.test(settings[name] ?? ""));
  if (set.length > 0) {
    const missing = TOKENS.filter((name) => !set.includes(name));
    const rest =
      missing.length === 0 ? "" : ` Requests that need ${missing.join(" or ")} fail, because it is not set.`;
    return `Closed: requests need a token of ${set.join(", ")}.${rest}`;
  }
  return settings["OPEN_WITHOUT_TOKENS"] === "true"
    ? "Open without tokens, because this server is local: every program that reaches the port may send and read. " +
        `To require tokens, set them in .dev.vars (${TOKENS.join(", ")}).`
    : 'Closed: no tokens are set, and OPEN_WITHOUT_TOKENS is not "true".';
}

/** The folder in which wrangler keeps the data. */
function stateFolder(): string {
  const chosen = pickValue(args, "--persist-to");
  if (chosen !== undefined) return resolve(PROJECT, chosen);
  const configuration = pickValue(args, "--config", "-c") ?? "wrangler.toml";
  return join(dirname(resolve(PROJECT, configuration)), ".wrangler/state");
}

/**
 * Waits until the port is free. Otherwise wrangler would take another port, and every command of the README would go to
 * the wrong server.
 *
 * @throws {Error} if the port is still in use after three seconds, which a stopped server may need to end
 */
async function waitForPort(): Promise<void> {
  for (const deadline = Date.now() + PORT_FREE_WITHIN_MS; ; await sleep(100)) {
    const probe = createServer().listen({ port, host: host === "*" ? "0.0.0.0" : host });
    try {
      await once(probe, "listening");
      probe.close();
      return void (await once(probe, "close"));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && Date.now() < deadline) continue;
      const reason = code === "EADDRINUSE" ? "Another program uses it" : message;
      throw new Error(
        `Port ${port} of ${host} cannot be used: ${reason}. ` +
          "Stop that program, or choose another port: npm start -- --port PORT",
        { cause: error },
      );
    }
  }
}

function refuse(error: Error): never {
  console.error(error.message);
  process.exit(1);
}
