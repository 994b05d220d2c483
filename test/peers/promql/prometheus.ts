/**
 * Compares the engine with a real Prometheus: the same samples, the same random queries, the same answers.
 *
 * `node test/peers/promql/prometheus.ts [queries] [seed]`. Needs `prometheus` and `promtool` on the PATH (Debian:
 * `apt-get install prometheus`); without them it says so and ends with 0. It ends with 1 if any answer differs.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { query, queryRange } from "../../../src/promql/engine.ts";
import { labelsKey, makeLabels } from "../../../src/promql/labels.ts";
import { MemorySource } from "../../../src/promql/memory-source.ts";
import { almostEqual } from "../../../src/promql/numbers.ts";
import { Random, type RandomQuery, type RandomSeries, makeQuery, makeSeries } from "./random-queries.ts";

/** An error, or values by label set and time in milliseconds. */
type Answer = "error" | Map<string, Map<number, number>>;

/** The libraries of both languages differ in the last digits of trigonometric functions and powers. */
const TOLERANCE = 1e-9;

async function main(): Promise<number> {
  const version = spawnSync("prometheus", ["--version"], { encoding: "utf8" });
  if (version.error || spawnSync("promtool", ["--version"]).error) {
    console.log(
      "SKIPPED: prometheus and promtool are not on the PATH. On Debian: apt-get install prometheus",
    );
    return 0;
  }
  const [count = 2000, seed = 1] = process.argv.slice(2).map(Number);
  console.log(`${(version.stdout || version.stderr).split("\n")[0]}; ${count} queries, seed ${seed}`);
  const random = new Random(seed);
  // Seven seconds off the full minute, so that no step of a subquery is the time of a sample.
  const startSecond = Math.floor(Date.now() / 3_600_000) * 3600 - 4 * 3600 + 7;
  const series = makeSeries(random, startSecond);
  const source = new MemorySource();
  for (const { name, labels, samples } of series) {
    const set = makeLabels({ __name__: name, ...labels });
    for (const [second, value] of samples) source.append(set, second * 1000, value);
  }
  const folder = mkdtempSync(join(tmpdir(), "promql-peer-"));
  const server = await startPrometheus(folder, series);
  let differences = 0;
  try {
    for (let index = 0; index < count; index++) {
      const asked = makeQuery(random, startSecond);
      const [theirs, ours] = await Promise.all([ask(server.address, asked), evaluate(asked, source)]);
      const difference = compare(theirs, ours);
      if (difference === undefined) continue;
      if (++differences <= 10) console.log(`DIFFERS: ${JSON.stringify(asked)}\n  ${difference}`);
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
  console.log(`${count - differences} of ${count} answers are the same.`);
  return differences === 0 ? 0 : 1;
}

async function startPrometheus(
  folder: string,
  series: readonly RandomSeries[],
): Promise<{ address: string; stop: () => Promise<void> }> {
  writeFileSync(join(folder, "samples.txt"), toOpenMetrics(series));
  writeFileSync(join(folder, "prometheus.yml"), "");
  const data = join(folder, "data");
  const blocks = ["tsdb", "create-blocks-from", "openmetrics", join(folder, "samples.txt"), data];
  const made = spawnSync("promtool", blocks, { encoding: "utf8" });
  if (made.status !== 0) throw new Error(`promtool could not make the data: ${made.stderr}`);
  const port = await freePort();
  const server = spawn(
    "prometheus",
    [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--log.level=error",
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const address = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await fetch(`${address}/-/ready`).catch(() => undefined);
    if (answer?.ok) {
      return {
        address,
        async stop() {
          server.kill();
          await ended;
        },
      };
    }
    await sleep(200);
  }
  server.kill();
  throw new Error("Prometheus did not get ready within 20 seconds.");
}

function toOpenMetrics(series: readonly RandomSeries[]): string {
  const lines: string[] = [];
  for (const name of new Set(series.map((one) => one.name))) {
    lines.push(`# TYPE ${name} unknown`);
    for (const { labels, samples } of series.filter((one) => one.name === name)) {
      const set = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      for (const [second, value] of samples) lines.push(`${name}{${set.join(",")}} ${value} ${second}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}

interface ApiAnswer {
  status: string;
  data: {
    result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[];
  };
}

async function ask(address: string, { text, startMs, endMs, stepMs }: RandomQuery): Promise<Answer> {
  const times: Record<string, number> =
    stepMs === 0
      ? { time: startMs / 1000 }
      : { start: startMs / 1000, end: endMs / 1000, step: stepMs / 1000 };
  const body = new URLSearchParams({ query: text });
  for (const [name, value] of Object.entries(times)) body.set(name, String(value));
  const answer = await fetch(`${address}/api/v1/${stepMs === 0 ? "query" : "query_range"}`, {
    method: "POST",
    body,
  });
  const { status, data } = (await answer.json()) as ApiAnswer;
  if (status !== "success") return "error";
  return new Map(
    data.result.map(({ metric, value, values = value ? [value] : [] }) => [
      labelsKey(makeLabels(metric)),
      new Map(
        values.map(([second, text]) => [Math.round(second * 1000), Number(text.replace("Inf", "Infinity"))]),
      ),
    ]),
  );
}

async function evaluate(
  { text, startMs, endMs, stepMs }: RandomQuery,
  source: MemorySource,
): Promise<Answer> {
  try {
    if (stepMs > 0) {
      const { series } = await queryRange(text, startMs, endMs, stepMs, source);
      return new Map(
        series.map(({ labels, times, values }) => [
          labelsKey(labels),
          new Map(times.map((timeMs, index) => [timeMs, values[index] as number])),
        ]),
      );
    }
    const result = await query(text, startMs, source);
    if (result.type !== "vector") throw new Error(`A query gave a ${result.type}: ${text}`);
    return new Map(
      result.samples.map(({ labels, value }) => [labelsKey(labels), new Map([[startMs, value as number]])]),
    );
  } catch (error) {
    if ((error as Error).name === "PromqlError") return "error";
    throw error;
  }
}

/** What differs first, or undefined. */
function compare(theirs: Answer, ours: Answer): string | undefined {
  if (theirs === "error" || ours === "error") return theirs === ours ? undefined : "only one of them fails";
  for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
    const [expected, actual] = [theirs.get(key), ours.get(key)];
    const name = key.replaceAll("\u0000", "=").replaceAll("\u0001", " ");
    if (!expected || !actual) return `only ${expected ? "Prometheus" : "the engine"} has ${name}`;
    for (const timeMs of new Set([...expected.keys(), ...actual.keys()])) {
      const [a, b] = [expected.get(timeMs), actual.get(timeMs)];
      if (a === undefined || b === undefined || !almostEqual(a, b, TOLERANCE)) {
        return `${name}at ${timeMs}: Prometheus has ${a}, the engine ${b}`;
      }
    }
  }
  return undefined;
}

process.exitCode = await main();
