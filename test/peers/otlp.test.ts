/**
 * Compares what OpenTelemetry's own senders say that they made with what the server counts: through a network that cuts
 * answers, and a server that is killed in the middle.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort, type Listing, Server } from "../../scripts/server.ts";
import { CuttingProxy } from "./otlp/cutting-proxy.ts";
import { collectorProgram, goSender, javascriptSender, pythonSender, type Run } from "./otlp/install.ts";

interface Options {
  signal: "traces" | "metrics";
  encoding?: "json" | "protobuf";
  temporality?: "DELTA" | "CUMULATIVE";
  histogram?: "explicit" | "exponential";
}

interface Made {
  [name: string]: { calls: number; errors: number; sumMs: number };
}

/** Only ends an installation that hangs. */
const INSTALLED_WITHIN_MS = 900_000;
/** Twice a second. Only ends a wait for calls that never come. */
const COUNTED_TRIES = 120;

let folder: string;
let server: Server;
let proxy: CuttingProxy;
let services = 0;
/** Ends when the server answers again. */
let restarting: Promise<void> = Promise.resolve();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-otlp-"));
  server = await Server.start({ stateFolder: join(folder, "state") });
  proxy = await CuttingProxy.start(() => Promise.resolve(server.url));
});

afterAll(async () => {
  proxy?.stop();
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

function restart(): Promise<void> {
  return (restarting = killAndStart());
}

async function killAndStart(): Promise<void> {
  const port = Number(new URL(server.url).port);
  await server.kill();
  server = await Server.start({ stateFolder: join(folder, "state"), port, isMigrated: true });
}

/** Asks again if the server was killed while it answered. */
async function counted(service: string, triesLeft = 5): Promise<Made> {
  await restarting;
  try {
    const response = await fetch(new URL(`/metrics?service=${service}`, server.url));
    const { functions } = (await response.json()) as Listing;
    return Object.fromEntries(
      functions.map(({ function: name, calls, errors, averageMs }) => [
        name,
        { calls, errors, sumMs: Math.round(calls * (averageMs ?? 0)) },
      ]),
    );
  } catch (error) {
    if (triesLeft === 0) throw error;
    await sleep(100);
    return counted(service, triesLeft - 1);
  }
}

interface Result {
  made: Made;
  counted: Made;
  /** Answers that tell of something rejected. */
  partial: string[];
}

/** Runs a sender, and waits until the server counts what it made, or until nothing more can come. */
async function resultOf(run: Run, options: Options, url = proxy.url): Promise<Result> {
  const service = `service-${++services}`;
  const made = JSON.parse(await run(JSON.stringify({ url, service, ...options }))) as Made;
  // A collector passes on what it has after its sender has ended.
  let found = await counted(service);
  for (let i = 0; i < COUNTED_TRIES && !isDeepStrictEqual(found, made); i++) {
    await sleep(500);
    found = await counted(service);
  }
  return { made, counted: found, partial: proxy.partial };
}

/** What a run should give: all that was made is counted, and nothing was rejected. */
function all({ made }: Result): Result {
  return { made, counted: made, partial: [] };
}

const METRICS: Options[] = (["DELTA", "CUMULATIVE"] as const).flatMap((temporality) =>
  (["explicit", "exponential"] as const).map((histogram) => ({ signal: "metrics", temporality, histogram })),
);

describe.each([
  ["JavaScript", javascriptSender, ["json", "protobuf"]],
  ["Python", pythonSender, ["protobuf"]],
  ["Go", goSender, ["protobuf"]],
] as const)("the SDK for %s", (language, install, encodings) => {
  let run: Run | undefined;
  beforeAll(async () => {
    run = await install();
    // The SDK for Go drops a batch if its connection is cut, and repeats it after a 503.
    proxy.says503 = language === "Go";
  }, INSTALLED_WITHIN_MS);

  it("exports spans, each counted once, though the server is killed in the middle", async (context) => {
    if (run === undefined) return context.skip();
    const { restarts } = proxy;
    proxy.restartAfter(4, restart);
    for (const encoding of encodings) {
      const result = await resultOf(run, { signal: "traces", encoding });
      expect(result).toEqual(all(result));
    }
    expect(proxy.restarts).toBe(restarts + 1);
  });

  it.for(METRICS)(
    "exports metrics, $temporality with $histogram buckets, and each call counts once",
    async (options, context) => {
      if (run === undefined) return context.skip();
      const isLast = options === METRICS.at(-1);
      proxy.restartAfter(isLast ? 4 : Infinity, restart);
      for (const encoding of encodings) {
        const result = await resultOf(run, { ...options, encoding });
        expect(result).toEqual(all(result));
      }
    },
  );
});

describe("the collector", () => {
  let program: string | undefined;
  let collector: ChildProcess | undefined;
  beforeAll(async () => {
    program = await collectorProgram();
    proxy.says503 = false;
  }, INSTALLED_WITHIN_MS);
  afterEach(() => void collector?.kill("SIGKILL"));

  /** Starts a collector that takes OTLP and exports it through the proxy. Returns its address. */
  async function start(pipelines: object, connectors: object = {}): Promise<string> {
    const port = await freePort();
    const config = join(folder, `collector-${port}.yaml`);
    const settings = {
      receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
      exporters: {
        otlp_http: {
          endpoint: proxy.url,
          retry_on_failure: { initial_interval: "100ms", max_interval: "1s", max_elapsed_time: "120s" },
        },
      },
      connectors,
      service: { pipelines, telemetry: { metrics: { level: "none" } } },
    };
    await writeFile(config, JSON.stringify(settings));
    collector = spawn(program!, [`--config=file:${config}`], { stdio: ["ignore", "ignore", "pipe"] });
    let output = "";
    collector.stderr!.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const url = `http://127.0.0.1:${port}`;
    for (let i = 0; i < 300; i++) {
      if (collector.exitCode !== null) break;
      const isReady = await fetch(url).then(
        () => true,
        () => false,
      );
      if (isReady) return url;
      await sleep(100);
    }
    throw new Error(`The collector did not start:\n${output}`);
  }

  const javascript = async () => (await javascriptSender()) ?? (await goSender());

  it("passes spans on, each counted once, though the server is killed in the middle", async (context) => {
    const run = await javascript();
    if (program === undefined || run === undefined) return context.skip();
    const url = await start({ traces: { receivers: ["otlp"], exporters: ["otlp_http"] } });
    proxy.restartAfter(4, restart);
    const result = await resultOf(run, { signal: "traces", encoding: "protobuf" }, url);
    expect(result).toEqual(all(result));
  });

  it.for(["AGGREGATION_TEMPORALITY_CUMULATIVE", "AGGREGATION_TEMPORALITY_DELTA"])(
    "counts spans by its spanmetrics connector, %s, and each call counts once",
    async (temporality, context) => {
      const run = await javascript();
      if (program === undefined || run === undefined) return context.skip();
      const url = await start(
        {
          traces: { receivers: ["otlp"], exporters: ["spanmetrics"] },
          metrics: { receivers: ["spanmetrics"], exporters: ["otlp_http"] },
        },
        { spanmetrics: { aggregation_temporality: temporality, metrics_flush_interval: "500ms" } },
      );
      proxy.restartAfter(3, restart);
      const result = await resultOf(run, { signal: "traces", encoding: "protobuf" }, url);
      expect(result).toEqual(all(result));
    },
  );
});
