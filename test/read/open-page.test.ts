/**
 * What open pages read of D1 in a day, at the default settings and with 20 functions that are always called. `npm run
 * bench:open` prints it.
 */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { forgetKept } from "../../src/read/kept.ts";
import { retain } from "../../src/retention/retain.ts";
import { dbWith, envWith } from "../faults.ts";
import { toForm } from "../prometheus/query/prometheus.ts";
import { acknowledged, buffer, deliver, sentMessages } from "../worker.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FUNCTIONS = Array.from({ length: 20 }, (_, i) => `function${i}`);
const FLUSHED_EVERY_MINUTES = 5;
/** So long before the measurement the functions are called already, and so long it lasts. */
const HISTORY_HOURS = 1;
const MEASURED_HOURS = 2;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  // Ahead of the platform's own clock, so that no alarm rings by itself.
  vi.setSystemTime(Date.UTC(2040, 0, 1, 12));
  forgetKept();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Every minute the functions are called. Every fifth, their calls reach D1. */
async function passMinute(minute: number): Promise<void> {
  vi.setSystemTime(Date.now() + MINUTE);
  await acknowledged(
    FUNCTIONS.map((name) => ({
      function: name,
      at: Date.now() - 1000,
      calls: 60,
      sumMs: 600,
      minMs: 10,
      maxMs: 10,
      histogram: { "106": 60 },
    })),
  );
  if (minute % FLUSHED_EVERY_MINUTES === 0) {
    await runDurableObjectAlarm(buffer());
    await deliver(await sentMessages());
  }
  if (minute % 60 === 17) await retain(env);
}

/** Asks, and adds the rows that D1 read. */
async function countRows(paths: readonly string[]): Promise<number> {
  let rows = 0;
  const DB = dbWith(async (real, batch) => {
    const results = await real(batch);
    for (const { meta } of results) rows += meta.rows_read;
    return results;
  });
  for (const path of paths) {
    const response = await app.request(path, {}, envWith({ DB }));
    if (response.status !== 200) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    await response.text();
  }
  return rows;
}

/** What the page asks once a minute, at its default range. It asks more often, but then D1 reads nothing. */
const pageAt = (now: number): string[] => {
  const [from, to] = [Math.floor(now / MINUTE) * MINUTE - HOUR, Math.ceil(now / MINUTE) * MINUTE];
  return [
    `/metrics?from=${from}&to=${to}&points=60&limit=10000`,
    `/metrics?from=${from - HOUR}&to=${from}&points=60&limit=10000`,
    `/metrics/shop/function1?from=${from}&to=${to}`,
    `/metrics/shop/function1/histogram?from=${from}&to=${to}`,
    "/attention",
    "/health",
  ];
};

const PANELS = [
  "sum by (function) (rate(function_calls_total[1m]))",
  'sum by (function) (rate(function_calls_total{result="error"}[1m]))',
  "sum by (service_name) (rate(function_calls_total[5m]))",
  "histogram_quantile(0.99, sum by (le, function) (rate(function_calls_duration_seconds_bucket[5m])))",
  "histogram_quantile(0.5, sum by (le, function) (rate(function_calls_duration_seconds_bucket[5m])))",
  "rate(function_calls_duration_seconds_sum[5m]) / rate(function_calls_duration_seconds_count[5m])",
  "topk(10, sum by (function) (increase(function_calls_total[1h])))",
  "function_calls_total",
];

const panelsAt = (now: number): string[] => {
  const [start, end] = [now / 1000 - 6 * 3600, now / 1000].map((time) => Math.floor(time / 60) * 60);
  return PANELS.map(
    (query) => `/api/v1/query_range?${toForm({ query, start: start!, end: end!, step: 60 })}`,
  );
};

it("one open page reads at most half a million rows a day, and a Grafana beside it little more", async () => {
  let [page, panels] = [0, 0];
  for (let minute = 0; minute < HISTORY_HOURS * 60; minute++) await passMinute(minute);
  for (let minute = 0; minute < MEASURED_HOURS * 60; minute++) {
    await passMinute(minute);
    page += await countRows(pageAt(Date.now()));
    if (minute % FLUSHED_EVERY_MINUTES === 0) panels += await countRows(panelsAt(Date.now()));
  }
  const [pageADay, panelsADay] = [page, panels].map((rows) => (rows / MEASURED_HOURS) * 24) as [
    number,
    number,
  ];
  console.log(`One open page reads ${Math.round(pageADay).toLocaleString("en")} rows a day.`);
  console.log(`Eight panels of Grafana beside it read ${Math.round(panelsADay).toLocaleString("en")} more.`);
  expect(pageADay).toBeGreaterThan(0);
  expect(pageADay).toBeLessThan(500_000);
  // Each isolate keeps rows of its own: pages that meet different isolates read as much as the first.
  expect(5 * pageADay + panelsADay).toBeLessThan(1_500_000);
}, 300_000);
