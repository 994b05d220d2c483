/** `metrics-collector dev`: a whole collector on this machine. */
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { build } from "../build.ts";
import { type Command, COMMON_OPTIONS, type Values } from "../command.ts";
import { openDataFolder } from "../dev/data-folder.ts";
import { chooseVars } from "../deploy/vars.ts";
import { buildConfiguration } from "../deploy/wrangler-configuration.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { installation } from "../installation.ts";
import { copyMigrations } from "../migrations.ts";
import { namesFor } from "../names.ts";
import { Output } from "../output.ts";
import { SECRETS } from "../tokens/token-entry.ts";

const DEFAULT_PORT = 8787;
const HOUR_MS = 3_600_000;

export const devCommand: Command = {
  name: "dev",
  summary: "run the whole thing on this machine, with data in ./.metrics-collector",
  help: `
Runs the collector in this process, on 127.0.0.1, with no account and nothing else installed. Data stays in the
folder .metrics-collector when it stops, and when it is killed. It is open to programs on this machine, unless
INGEST_TOKENS, READ_TOKENS or ADMIN_TOKENS are set in the environment. Ctrl-C stops it.

  npx metrics-collector dev
  npx metrics-collector dev --port 9000 --data ./metrics --var MAX_ITEMS=100`,
  options: {
    port: { type: "string", value: "PORT", help: `Default: ${DEFAULT_PORT}. 0 takes any that is free.` },
    data: { type: "string", value: "FOLDER", help: "Where the data is. Default: .metrics-collector" },
    var: {
      type: "string",
      value: "NAME=VALUE",
      multiple: true,
      help: "Set a variable of wrangler.toml, such as MAX_ITEMS. Repeat for several.",
    },
    json: { type: "boolean", help: "Print one JSON document once it is ready." },
    help: COMMON_OPTIONS.help,
  },
  run,
};

async function run(values: Values): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: true });
  const port = await freePort(values["port"] as string | undefined);
  await build();
  await using data = await openDataFolder((values["data"] as string | undefined) ?? ".metrics-collector");
  const migrations = join(data.path, "migrations");
  await copyMigrations(migrations);
  const vars = chooseVars(values["var"] as string[] | undefined, { bindings: [] });
  const configuration = await buildConfiguration(data.path, { names: namesFor(), database: null, vars });
  // Loaded here only: the runtime takes a second to load, and other commands do not need it.
  const { startEmbedded } = await import("../dev/embedded.ts");
  await using server = await startEmbedded({
    configuration,
    migrations,
    state: join(data.path, "state"),
    port,
    vars: { OPEN_WITHOUT_TOKENS: "true", ...tokensOfEnvironment() },
    onError: (message) => output.warn(message),
  });
  const { url } = server;
  const sweep = () =>
    server.runHourly().catch((error: unknown) => output.warn(`The hourly sweep failed: ${String(error)}`));
  // Also at the start, since a machine that sleeps or is off misses hours.
  void sweep();
  const timer = setInterval(() => void sweep(), HOUR_MS);
  output.result({ url, data: data.path, version: installation.version });
  output.print(greeting(url, data.path));
  await signalToEnd();
  clearInterval(timer);
  output.print("Stopping. The data stays.");
  return EXIT.done;
}

async function signalToEnd(): Promise<void> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  // The runtime's library exits at once on these. Here the data folder is to be left in order first.
  for (const signal of signals) process.removeAllListeners(signal);
  await Promise.race(signals.map((signal) => once(process, signal)));
}

function greeting(url: string, data: string): string {
  return `MetricsCollector ${installation.version} runs on this machine. Ctrl-C stops it.

  Dashboard  ${url}/
  Data       ${data}

In your program:

  import { createMetricsCollector } from "metrics-collector-client";
  const metricsCollector = createMetricsCollector({ url: "${url}", service: "my-service" });
`;
}

function tokensOfEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.values(SECRETS).flatMap((name) => {
      const value = process.env[name];
      return value ? [[name, value]] : [];
    }),
  );
}

/** Asked before anything starts, since the runtime's own error for a taken port says little. */
async function freePort(given: string | undefined): Promise<number> {
  const port = given === undefined ? DEFAULT_PORT : Number(given);
  if (!/^\d+$/.test(given ?? "0") || port > 65_535) {
    throw new Failure(`--port ${given} is not a port from 0 to 65535.`, EXIT.usage);
  }
  if (port === 0) return 0;
  const probe = createServer().listen(port, "127.0.0.1");
  try {
    await once(probe, "listening");
  } catch {
    throw new Failure(
      `Port ${port} of 127.0.0.1 is in use. Give another with --port, or 0 for any that is free.`,
      EXIT.undecided,
    );
  }
  probe.close();
  await once(probe, "close");
  return port;
}
