import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it, type TestContext, vi } from "vitest";
import { Server } from "../../scripts/server.ts";

const run = promisify(execFile);
const EXAMPLES = join(import.meta.dirname, "../../examples");

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-reading-"));
  server = await Server.start({ stateFolder: join(folder, "state") });
});

afterAll(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Skips, and says why, where a program is not installed. */
async function needs(context: TestContext, program: "prometheus" | "promtool"): Promise<void> {
  const isThere = await run(program, ["--version"]).then(
    () => true,
    () => false,
  );
  const reason = `${program} is not installed (Debian: apt-get install prometheus)`;
  // Not by console: what a skipped test says there is not shown.
  if (!isThere) process.stderr.write(`Skipped "${context.task.name}": ${reason}.\n`);
  context.skip(!isThere, reason);
}

/** What it prints, with what went in where it fails. */
async function promtool(args: string[], input = ""): Promise<string> {
  const child = spawn("promtool", args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number];
  return code === 0 ? output : `promtool ended with ${code}: ${output}`;
}

async function post(samples: object[], service = "shop"): Promise<void> {
  const response = await fetch(new URL("/samples", server.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ service, samples }),
  });
  expect(response.status).toBe(202);
}

interface Row {
  service: string;
  function: string;
  calls: number;
  errors: number;
  unmeasured: number;
  averageMs: number;
  [quantile: `p${number}Ms`]: number;
}

async function metrics(): Promise<Row[]> {
  const response = await fetch(new URL("/metrics", server.url));
  return ((await response.json()) as { functions: Row[] }).functions;
}

describe("a running server", () => {
  it("answers a scraper with text that promtool finds nothing to say about", async (context) => {
    await needs(context, "promtool");
    await post([
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 80 },
      { function: "ключ 🙂", durationMs: 0, error: { name: "E", message: "m" } },
      { nonsense: 1 },
    ]);
    const response = await fetch(new URL("/metrics?format=prometheus", server.url));
    expect(await promtool(["check", "metrics"], await response.text())).toBe("");
  });

  it("describes itself by a valid OpenAPI document", async () => {
    const document = (await (await fetch(new URL("/openapi.json", server.url))).json()) as Record<
      string,
      unknown
    >;
    expect(await new Validator().validate(document)).toEqual({ valid: true });
  });
});

describe("the examples", () => {
  it("are rules and a configuration that promtool accepts", async (context) => {
    await needs(context, "promtool");
    expect(await promtool(["check", "rules", join(EXAMPLES, "alerts.yml")])).toContain(
      "SUCCESS: 8 rules found",
    );
    expect(await promtool(["check", "config", join(EXAMPLES, "prometheus.yml")])).toContain(
      "is valid prometheus config",
    );
  });

  it("are a dashboard whose every expression is PromQL over metrics that there are", async (context) => {
    await needs(context, "promtool");
    const dashboard = JSON.parse(await readFile(join(EXAMPLES, "grafana-dashboard.json"), "utf8")) as {
      panels: { targets: { expr: string }[] }[];
    };
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = expressions.map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll(/\$__rate_interval|\$__range/g, "5m").replaceAll("$service", ".*"),
    }));
    const file = join(folder, "panels.yml");
    await writeFile(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    expect(await promtool(["check", "rules", file])).toContain(`SUCCESS: ${rules.length} rules found`);

    const exposed = await (await fetch(new URL("/metrics?format=prometheus", server.url))).text();
    const named = expressions.join(" ").match(/\b(function_calls|metrics_collector)_\w+/g) ?? [];
    for (const name of named) expect(exposed).toContain(name);
  });
});

describe("a real Prometheus", () => {
  /** Of durations that go round. */
  const CALLS_PER_SECOND = 100;
  const STEADY_MS = 30_000;
  const DURATIONS = [3, 8, 8, 20, 20, 20, 60, 60, 400, 1500];

  let prometheus: ChildProcess;
  let url: string;

  async function query(promql: string): Promise<{ metric: Record<string, string>; value: number }[]> {
    const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(promql)}`);
    const { data } = (await response.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** Of the one series that answers. */
  async function value(promql: string): Promise<number> {
    const result = await query(promql);
    expect(result).toHaveLength(1);
    return result[0]?.value ?? Number.NaN;
  }

  async function startPrometheus(): Promise<void> {
    const config = join(folder, "prometheus.yml");
    const target = new URL(server.url).host;
    await writeFile(
      config,
      JSON.stringify({
        global: { scrape_interval: "1s" },
        scrape_configs: [{ job_name: "metrics-collector", static_configs: [{ targets: [target] }] }],
      }),
    );
    const address = `127.0.0.1:${await freePort()}`;
    url = `http://${address}`;
    prometheus = spawn(
      "prometheus",
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "tsdb")}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: "ignore" },
    );
    await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true), {
      timeout: 20_000,
      interval: 200,
    });
  }

  /** Sends what is due by the clock, so that one late POST does not make the rest late. */
  async function steadyLoad(): Promise<void> {
    const start = performance.now();
    let sent = 0;
    while (performance.now() - start < STEADY_MS) {
      const due = Math.floor(((performance.now() - start) / 1000) * CALLS_PER_SECOND) - sent;
      const samples = Array.from({ length: due }, (_, i) => ({
        function: "steady",
        durationMs: DURATIONS[(sent + i) % DURATIONS.length],
        ...((sent + i) % 4 === 0 ? { error: { name: "E", message: "every fourth" } } : {}),
      }));
      sent += due;
      if (due > 0) await post(samples);
      await sleep(40);
    }
  }

  const holdsWhatWeSay = async () => {
    const rows = await metrics();
    const [calls, count, sum] = await Promise.all(
      [
        "function_calls_total",
        "function_calls_duration_seconds_count",
        "function_calls_duration_seconds_sum",
      ].map(query),
    );
    const find = (samples: typeof calls, row: Row, result?: string) =>
      samples?.find(
        ({ metric }) =>
          metric["function"] === row.function &&
          metric["service_name"] === row.service &&
          (result === undefined || metric["result"] === result),
      )?.value;
    for (const row of rows) {
      expect(find(calls, row, "ok")).toBe(row.calls - row.errors);
      expect(find(calls, row, "error")).toBe(row.errors);
      expect(find(count, row)).toBe(row.calls - row.unmeasured);
      if (row.averageMs !== null) {
        expect(find(sum, row)).toBeCloseTo((row.averageMs / 1000) * (row.calls - row.unmeasured), 2);
      }
    }
    expect(rows.length).toBeGreaterThanOrEqual(1);
  };

  it("holds the same numbers, rates and quantiles as we tell, through flushes and a SIGKILL", async (context) => {
    await needs(context, "prometheus");
    await startPrometheus();
    try {
      await steadyLoad();
      const rate = await value('sum(rate(function_calls_total{function="steady"}[20s]))');
      // Counters that fell would show as resets, each of which adds all that was counted before.
      expect(await value('sum(resets(function_calls_total{function="steady"}[1h]))')).toBe(0);
      // Not nearer: a POST that is late by a second is a twentieth of them.
      expect(rate).toBeGreaterThan(CALLS_PER_SECOND * 0.75);
      expect(rate).toBeLessThan(CALLS_PER_SECOND * 1.25);
      const errors = await value('rate(function_calls_total{function="steady", result="error"}[20s])');
      expect(errors / rate).toBeCloseTo(0.25, 2);

      await vi.waitFor(holdsWhatWeSay, { timeout: 15_000, interval: 500 });

      const bounds = [0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
      const row = (await metrics()).find((one) => one.function === "steady");
      for (const percent of [50, 90, 95, 99] as const) {
        const ours = (row?.[`p${percent}Ms`] ?? Number.NaN) / 1000;
        const theirs = await value(
          `histogram_quantile(${percent / 100}, function_calls_duration_seconds_bucket{function="steady"})`,
        );
        expect(theirs).toBeGreaterThanOrEqual(bounds.findLast((bound) => bound < ours) ?? Number.NaN);
        expect(theirs).toBeLessThanOrEqual(bounds.find((bound) => bound >= ours) ?? Number.NaN);
      }

      const port = Number(new URL(server.url).port);
      await server.kill();
      server = await Server.start({ stateFolder: join(folder, "state"), port });
      await post([{ function: "steady", durationMs: 8 }]);
      await vi.waitFor(holdsWhatWeSay, { timeout: 15_000, interval: 500 });
      for (const name of [
        "total",
        "duration_seconds_bucket",
        "duration_seconds_count",
        "duration_seconds_sum",
      ]) {
        expect(await value(`sum(resets(function_calls_${name}[5m]))`)).toBe(0);
      }
    } finally {
      prometheus.kill("SIGKILL");
      await once(prometheus, "exit");
    }
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
