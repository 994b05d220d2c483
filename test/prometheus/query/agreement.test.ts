import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FunctionMetrics } from "../../../src/api/function-metrics.ts";
import { BOUNDS } from "../../../src/prometheus/classic-buckets.ts";
import { retain } from "../../../src/retention/retain.ts";
import { acknowledged, carryToD1, getJson } from "../../worker.ts";
import { valuesOf } from "./prometheus.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MINUTES = 47 * 60;
const RUNS = 4;

const call = fc.record({
  function: fc.constantFrom("a", "b"),
  minutesAgo: fc.integer({ min: 1, max: MINUTES }),
  durationMs: fc.double({ min: 0.01, max: 9_000, noNaN: true }),
  fails: fc.boolean(),
});
type Call = { function: string; minutesAgo: number; durationMs: number; fails: boolean };

async function send(calls: readonly Call[], end: number): Promise<void> {
  await acknowledged(
    calls.map(({ minutesAgo, fails, ...rest }) => ({
      ...rest,
      at: end - minutesAgo * MINUTE,
      ...(fails && { error: { name: "E", message: "m" } }),
    })),
  );
}

/** Both API's answers about the calls in the range: JSON, and PromQL by function. */
async function compare(from: number, to: number): Promise<void> {
  const { functions } = await getJson<{ functions: FunctionMetrics[] }>(`/metrics?from=${from}&to=${to}`);
  const window = `[${(to - from) / 1000}s]`;
  // PromQL has no series before a function's first call, and JSON lists all functions.
  const withoutZeros = (values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== 0));
  const ask = async (query: string) => withoutZeros(await valuesOf(query.replaceAll("[]", window), to));
  const json = (read: (row: FunctionMetrics) => number) =>
    withoutZeros(Object.fromEntries(functions.map((row) => [row.function, read(row)])));

  expect(await ask("sum by (function) (increase(function_calls_total[]))")).toEqual(
    json(({ calls }) => calls),
  );
  expect(await ask('increase(function_calls_total{result="error"}[])')).toEqual(json(({ errors }) => errors));

  const called = functions.filter(({ averageMs }) => averageMs !== null);
  const averages = await ask(
    "rate(function_calls_duration_seconds_sum[]) / rate(function_calls_duration_seconds_count[])",
  );
  const native = await ask("histogram_quantile(0.9, increase(function_calls_duration_seconds[]))");
  const nativeAverages = await ask("histogram_avg(increase(function_calls_duration_seconds[]))");
  const classic = await ask("histogram_quantile(0.9, rate(function_calls_duration_seconds_bucket[]))");
  for (const { function: name, averageMs, p90Ms, calls } of called) {
    // JSON rounds to six digits.
    expect((averages[name]! * 1000) / averageMs!).toBeCloseTo(1, 4);
    expect((nativeAverages[name]! * 1000) / averageMs!).toBeCloseTo(1, 4);
    // Between two calls, each API may take either. That happens if the rank is a whole number.
    if (calls % 10 === 0) continue;
    // Both are in the same bucket or in neighbours: a bucket is 2.2 % wide.
    expect(Math.abs(Math.log(native[name]! / (p90Ms! / 1000)))).toBeLessThan(0.045);
    const bound = (seconds: number) => BOUNDS.findIndex((one) => seconds <= one * 1.022);
    expect(Math.abs(bound(classic[name]!) - bound(p90Ms! / 1000))).toBeLessThanOrEqual(1);
  }
}

describe("PromQL and the JSON API agree", () => {
  it("about calls, errors, averages and quantiles in any range, wherever the calls are", async () => {
    const end = Math.floor(Date.now() / MINUTE) * MINUTE;
    const some = fc.array(call, { minLength: 30, maxLength: 60 });
    const ranges = fc.array(
      fc.tuple(fc.integer({ min: 1, max: MINUTES }), fc.integer({ min: 0, max: MINUTES })),
      { minLength: 4, maxLength: 4 },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(some, some, some, ranges, async (closed, applied, buffered, ranges) => {
        const names = (calls: readonly Call[]) =>
          calls.map((one) => ({ ...one, function: `${one.function}${run}` }));
        run++;
        await send(names(closed), end);
        await carryToD1();
        await retain(env);
        await send(names(applied), end);
        await carryToD1();
        await send(names(buffered), end);
        for (const [a, b] of ranges) {
          const [from, to] = [Math.max(a, b), Math.min(a, b)];
          if (from > to) await compare(end - from * MINUTE, end - to * MINUTE);
        }
        await compare(end - 24 * HOUR, end);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(run).toBe(RUNS);
  });
});
