import { describe, expect, it } from "vitest";
import { acknowledged, carryToD1 } from "../../worker.ts";
import { ask, valuesOf } from "./prometheus.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The start of the current minute. */
const now = () => Math.floor(Date.now() / MINUTE) * MINUTE;
const call = (at: number, calls = 1) => ({
  function: "a",
  at,
  calls,
  sumMs: calls * 20,
  minMs: 20,
  maxMs: 20,
  histogram: { 138: calls },
});

describe("function_calls_total", () => {
  it("increases over whole minutes by exactly the calls in them, in the buffer and in D1", async () => {
    const end = now();
    await acknowledged([call(end - HOUR, 7), call(end - 30 * MINUTE, 11), call(end - MINUTE, 2)]);
    const hour = "sum(increase(function_calls_total[1h]))";
    expect(await valuesOf(hour, end)).toEqual({ "": 20 });
    await carryToD1();
    expect(await valuesOf(hour, end)).toEqual({ "": 20 });
    await acknowledged([call(end - HOUR - MINUTE, 100), call(end - 30 * MINUTE, 5)]);
    expect(await valuesOf(hour, end)).toEqual({ "": 25 });
  });

  it("has a rate with Grafana's defaults, at any time: windows of one minute", async () => {
    const end = now();
    await acknowledged([call(end - 3 * MINUTE, 60), call(end - 2 * MINUTE, 120)]);
    const rate = 'rate(function_calls_total{result="ok"}[1m])';
    expect(await valuesOf(rate, end - MINUTE)).toEqual({ a: 2 });
    expect(await valuesOf(rate, end - 1.5 * MINUTE)).toEqual({ a: 1.5 });
    const { data } = await ask("/api/v1/query_range", {
      query: rate,
      start: (end - 2 * MINUTE) / 1000,
      end: end / 1000,
      step: 60,
    });
    expect(data.result[0].values.map(([, value]: [number, string]) => value)).toEqual(["1", "2", "0"]);
  });

  it("is the number of calls up to the last full minute, however long ago they were", async () => {
    const end = now();
    await acknowledged([call(end - 5 * HOUR, 3), call(end - 2 * MINUTE, 4)]);
    await carryToD1();
    expect(await valuesOf('function_calls_total{result="ok"}', end)).toEqual({ a: 7 });
    expect(await valuesOf('function_calls_total{result="ok"}', end - HOUR)).toEqual({ a: 3 });
    expect(await valuesOf('function_calls_total{result="ok"}', end - 6 * HOUR)).toEqual({});
    expect(await valuesOf('function_calls_total{result="error"}', end)).toEqual({ a: 0 });
  });

  it("shows its samples at the ends of minutes to other functions", async () => {
    const end = now();
    await acknowledged([call(end - 4 * MINUTE, 1), call(end - 2 * MINUTE, 2)]);
    const samples = 'function_calls_total{result="ok"}[3m]';
    const { data } = await ask("/api/v1/query", { query: samples, time: end / 1000 });
    expect(data.result[0].values).toEqual([
      [end / 1000 - 120, "1"],
      [end / 1000 - 60, "3"],
      [end / 1000, "3"],
    ]);
    expect(await valuesOf(`changes(${samples})`, end)).toEqual({ a: 1 });
    expect(await valuesOf('increase(function_calls_total{result="ok"}[1m:1m])', end)).toEqual({});
    expect(await valuesOf('max_over_time(rate(function_calls_total{result="ok"}[1m])[5m:1m])', end)).toEqual({
      a: 2 / 60,
    });
  });

  it("counts the running minute up to now, and no further", async () => {
    const at = Date.now();
    await acknowledged([call(at, 10)]);
    const later = await valuesOf('increase(function_calls_total{result="ok"}[10m])', at + 5 * MINUTE);
    expect(later).toEqual({ a: 10 });
  });
});

describe("function_calls_duration_seconds", () => {
  it("has buckets whose bounds are compared as numbers", async () => {
    const end = now();
    await acknowledged([call(end - MINUTE, 4)]);
    const select = async (le: string) =>
      (
        await ask("/api/v1/query", {
          query: `function_calls_duration_seconds_bucket{${le}}`,
          time: end / 1000,
        })
      ).data.result.length;
    expect(
      await Promise.all(
        ['le="1"', 'le="1.0"', 'le=~"1"', 'le!="1"', 'le!~"1.0|1"', 'le="+Inf"', 'le=""'].map(select),
      ),
    ).toEqual([1, 1, 1, 14, 14, 1, 0]);
  });

  it("gives quantiles, as classic and as native histogram", async () => {
    const end = now();
    await acknowledged([call(end - MINUTE, 4)]);
    const rate = (name: string) => `rate(${name}[5m])`;
    const classic = await valuesOf(
      `histogram_quantile(0.5, ${rate("function_calls_duration_seconds_bucket")})`,
      end,
    );
    expect(classic["a"]).toBeCloseTo(0.0175, 4);
    const native = await valuesOf(`histogram_quantile(0.5, ${rate("function_calls_duration_seconds")})`, end);
    expect(native["a"]).toBeGreaterThan(0.0197);
    expect(native["a"]).toBeLessThan(0.0203);
    expect(await valuesOf("histogram_count(increase(function_calls_duration_seconds[5m]))", end)).toEqual({
      a: 4,
    });
    expect(await valuesOf("histogram_sum(increase(function_calls_duration_seconds[5m]))", end)).toEqual({
      a: 0.08,
    });
    expect(await valuesOf("increase(function_calls_duration_seconds_sum[5m])", end)).toEqual({ a: 0.08 });
  });
});

describe("other series", () => {
  it("are up and build_info, with which Autometrics' dashboards join", async () => {
    const end = now();
    await acknowledged([call(end - MINUTE, 60)]);
    const joined = `sum by (function, module, service_name, version, commit) (
      rate({ __name__=~"function_calls(_count)?(_total)?", function=~"a" }[1m])
        * on(instance, job) group_left(version, commit) (last_over_time(build_info[1m]) or on (instance, job) up))`;
    const { data } = await ask("/api/v1/query", { query: joined, time: end / 1000 });
    expect(data.result).toEqual([
      {
        metric: { function: "a", service_name: "shop", version: expect.any(String) },
        value: [end / 1000, "1"],
      },
    ]);
  });

  it("are the gauges of the collector, as they are now", async () => {
    await acknowledged([call(now(), 1), { function: "b", durationMs: -1 }]);
    const at = Date.now();
    expect(await valuesOf("metrics_collector_buffered_samples", at, "job")).toEqual({
      "metrics-collector": 1,
    });
    expect(await valuesOf("metrics_collector_rejected_samples_total", at, "reason")).toEqual({
      invalid: 1,
      too_late: 0,
    });
  });
});
