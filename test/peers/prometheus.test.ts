/** Compares what a real Prometheus stores with what the JSON API shows. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort, Server } from "../../scripts/server.ts";
import { needsProgram } from "../process/needs-program.ts";

let folder: string;
let server: Server | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-prometheus-"));
});

afterAll(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

async function post(samples: object[]): Promise<void> {
  const response = await fetch(new URL("/samples", server!.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ service: "shop", samples }),
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
  const response = await fetch(new URL("/metrics", server!.url));
  return ((await response.json()) as { functions: Row[] }).functions;
}

describe("a real Prometheus", () => {
  const CALLS_PER_SECOND = 100;
  const STEADY_MS = 30_000;
  /** Durations of the calls in milliseconds, repeated in this order. */
  const DURATIONS = [3, 8, 8, 20, 20, 20, 60, 60, 400, 1500];

  let prometheus: ChildProcess;
  let url: string;

  async function query(
    promql: string,
    atMs = Date.now(),
  ): Promise<{ metric: Record<string, string>; value: number }[]> {
    const response = await fetch(
      `${url}/api/v1/query?time=${atMs / 1000}&query=${encodeURIComponent(promql)}`,
    );
    const { data } = (await response.json()) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The value of a query that has exactly one series. */
  async function value(promql: string, atMs?: number): Promise<number> {
    const result = await query(promql, atMs);
    expect(result).toHaveLength(1);
    return result[0]?.value ?? Number.NaN;
  }

  async function startPrometheus(): Promise<void> {
    const config = join(folder, "prometheus.yml");
    const target = new URL(server!.url).host;
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
      timeout: 60_000,
      interval: 200,
    });
  }

  /** Sends the calls that are due by the clock. Returns how many calls were acknowledged, and when. */
  async function steadyLoad(): Promise<{ at: number; calls: number }[]> {
    const start = performance.now();
    const acknowledged: { at: number; calls: number }[] = [];
    let sent = 0;
    while (performance.now() - start < STEADY_MS) {
      const due = Math.floor(((performance.now() - start) / 1000) * CALLS_PER_SECOND) - sent;
      const samples = Array.from({ length: due }, (_, i) => ({
        function: "steady",
        durationMs: DURATIONS[(sent + i) % DURATIONS.length],
        ...((sent + i) % 4 === 0 ? { error: { name: "E", message: "every fourth" } } : {}),
      }));
      sent += due;
      if (due > 0) {
        await post(samples);
        acknowledged.push({ at: Date.now(), calls: due });
      }
      await sleep(40);
    }
    return acknowledged;
  }

  const expectSameNumbers = async () => {
    const rows = await metrics();
    const [calls, count, sum] = await Promise.all(
      [
        "function_calls_total",
        "function_calls_duration_seconds_count",
        "function_calls_duration_seconds_sum",
      ].map((name) => query(name)),
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

  it("stores the same numbers, rates and quantiles as the JSON API shows, through flushes and a SIGKILL", async (context) => {
    await needsProgram(context, "prometheus", "Debian: apt-get install prometheus");
    server = await Server.start({ stateFolder: join(folder, "state") });
    await startPrometheus();
    try {
      const acknowledged = await steadyLoad();
      const now = Date.now();
      const rate = await value('sum(rate(function_calls_total{function="steady"}[20s]))', now);
      const made = acknowledged
        .filter(({ at }) => at > now - 20_000)
        .reduce((sum, { calls }) => sum + calls, 0);
      // Prometheus sees a counter that falls as a reset, and counts all earlier calls again.
      expect(await value('sum(resets(function_calls_total{function="steady"}[1h]))')).toBe(0);
      // Compared with the calls that were acknowledged, since a busy machine sends fewer. The bounds are wide, because
      // Prometheus sees the counter once a second and extrapolates.
      expect(rate).toBeGreaterThan((made / 20) * 0.75);
      expect(rate).toBeLessThan((made / 20) * 1.25);
      const errors = await value('rate(function_calls_total{function="steady", result="error"}[20s])', now);
      expect(errors / rate).toBeCloseTo(0.25, 2);

      await vi.waitFor(expectSameNumbers, { timeout: 60_000, interval: 500 });

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
      await vi.waitFor(expectSameNumbers, { timeout: 60_000, interval: 500 });
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
