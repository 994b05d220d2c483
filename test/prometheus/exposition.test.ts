import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BOUNDS, writeCumulativeCounts } from "../../src/prometheus/classic-buckets.ts";
import { bucketIndex, quantiles } from "../../src/stats/histogram.ts";
import { acknowledged, carryToD1, get } from "../worker.ts";

const AT = Date.now() - 60_000;

function countsOf(buckets: readonly number[]): number[] {
  const counts: number[] = [];
  writeCumulativeCounts([...buckets], counts, 0);
  return counts;
}

async function scrape(query = "", accept?: string): Promise<string> {
  const response = await get(`/metrics${query}`, accept === undefined ? {} : { Accept: accept });
  return (await response.text()).replace(/(age_seconds) [\d.]+/g, "$1 <age>");
}

describe("GET /metrics for a scraper", () => {
  it("writes the text format 0.0.4", async () => {
    await acknowledged([
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 80, at: AT },
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 1000, at: AT, error: {} },
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 0, at: AT },
    ]);
    await carryToD1();
    await acknowledged([
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 20_000, at: AT },
      { nonsense: 1 },
    ]);
    expect(await scrape("?format=prometheus"))
      .toBe(String.raw`# HELP function_calls_total Calls of the function, by whether they ended in an error.
# TYPE function_calls_total counter
function_calls_total{function="chargeCard",module="pay \"now\"\\",service_name="shop",result="ok"} 3
function_calls_total{function="chargeCard",module="pay \"now\"\\",service_name="shop",result="error"} 1
# HELP function_calls_duration_seconds Durations of the function's calls, as far as they could be measured.
# TYPE function_calls_duration_seconds histogram
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.005"} 0
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.01"} 0
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.025"} 0
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.05"} 0
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.075"} 0
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.1"} 1
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.25"} 1
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.5"} 1
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="0.75"} 1
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="1"} 2
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="2.5"} 2
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="5"} 2
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="7.5"} 2
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="10"} 2
function_calls_duration_seconds_bucket{function="chargeCard",module="pay \"now\"\\",service_name="shop",le="+Inf"} 3
function_calls_duration_seconds_sum{function="chargeCard",module="pay \"now\"\\",service_name="shop"} 21.08
function_calls_duration_seconds_count{function="chargeCard",module="pay \"now\"\\",service_name="shop"} 3
# HELP metrics_collector_buffered_samples Samples that are acknowledged and in no flush yet.
# TYPE metrics_collector_buffered_samples gauge
metrics_collector_buffered_samples 1
# HELP metrics_collector_oldest_buffered_age_seconds Age of the oldest sample that is in no flush yet.
# TYPE metrics_collector_oldest_buffered_age_seconds gauge
metrics_collector_oldest_buffered_age_seconds <age>
# HELP metrics_collector_unconfirmed_flushes Flushes that D1 has not confirmed.
# TYPE metrics_collector_unconfirmed_flushes gauge
metrics_collector_unconfirmed_flushes 0
# HELP metrics_collector_oldest_unconfirmed_age_seconds Age of the oldest flush that D1 has not confirmed.
# TYPE metrics_collector_oldest_unconfirmed_age_seconds gauge
metrics_collector_oldest_unconfirmed_age_seconds <age>
# HELP metrics_collector_dead_letters Flushes that D1 keeps refusing.
# TYPE metrics_collector_dead_letters gauge
metrics_collector_dead_letters 0
# HELP metrics_collector_rejected_samples_total Samples that were rejected, by reason.
# TYPE metrics_collector_rejected_samples_total counter
metrics_collector_rejected_samples_total{reason="invalid"} 1
metrics_collector_rejected_samples_total{reason="too_late"} 0
`);
  });

  it("writes OpenMetrics 1.0", async () => {
    await acknowledged([{ function: "a", durationMs: 80, at: AT }]);
    expect(await scrape("?format=openmetrics")).toBe(String.raw`# TYPE function_calls counter
# HELP function_calls Calls of the function, by whether they ended in an error.
function_calls_total{function="a",module="",service_name="shop",result="ok"} 1
function_calls_total{function="a",module="",service_name="shop",result="error"} 0
# TYPE function_calls_duration_seconds histogram
# UNIT function_calls_duration_seconds seconds
# HELP function_calls_duration_seconds Durations of the function's calls, as far as they could be measured.
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.005"} 0
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.01"} 0
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.025"} 0
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.05"} 0
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.075"} 0
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.1"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.25"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.5"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="0.75"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="1.0"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="2.5"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="5.0"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="7.5"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="10.0"} 1
function_calls_duration_seconds_bucket{function="a",module="",service_name="shop",le="+Inf"} 1
function_calls_duration_seconds_sum{function="a",module="",service_name="shop"} 0.08
function_calls_duration_seconds_count{function="a",module="",service_name="shop"} 1
# TYPE metrics_collector_buffered_samples gauge
# HELP metrics_collector_buffered_samples Samples that are acknowledged and in no flush yet.
metrics_collector_buffered_samples 1
# TYPE metrics_collector_oldest_buffered_age_seconds gauge
# UNIT metrics_collector_oldest_buffered_age_seconds seconds
# HELP metrics_collector_oldest_buffered_age_seconds Age of the oldest sample that is in no flush yet.
metrics_collector_oldest_buffered_age_seconds <age>
# TYPE metrics_collector_unconfirmed_flushes gauge
# HELP metrics_collector_unconfirmed_flushes Flushes that D1 has not confirmed.
metrics_collector_unconfirmed_flushes 0
# TYPE metrics_collector_oldest_unconfirmed_age_seconds gauge
# UNIT metrics_collector_oldest_unconfirmed_age_seconds seconds
# HELP metrics_collector_oldest_unconfirmed_age_seconds Age of the oldest flush that D1 has not confirmed.
metrics_collector_oldest_unconfirmed_age_seconds <age>
# TYPE metrics_collector_dead_letters gauge
# HELP metrics_collector_dead_letters Flushes that D1 keeps refusing.
metrics_collector_dead_letters 0
# TYPE metrics_collector_rejected_samples counter
# HELP metrics_collector_rejected_samples Samples that were rejected, by reason.
metrics_collector_rejected_samples_total{reason="invalid"} 0
metrics_collector_rejected_samples_total{reason="too_late"} 0
# EOF
`);
  });

  it("accepts the same filters as the list", async () => {
    await acknowledged([{ function: "a", durationMs: 1 }]);
    await acknowledged([{ function: "b", durationMs: 1 }], { service: "post" });
    const text = await scrape("?format=prometheus&service=post");
    expect(text).toContain('function="b"');
    expect(text).not.toContain('function="a"');
    const response = await get("/metrics?format=prometheus&from=-1h");
    expect(response.status).toBe(400);
  });
});

describe("GET /metrics negotiates", () => {
  const PROMETHEUS_2 =
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
  const PROMETHEUS_3 =
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
  it.each([
    [PROMETHEUS_2, "", "application/openmetrics-text; version=1.0.0; charset=utf-8"],
    [PROMETHEUS_3, "", "application/openmetrics-text; version=1.0.0; charset=utf-8"],
    ["text/plain;version=0.0.4;q=1,*/*;q=0.1", "", "text/plain; version=0.0.4; charset=utf-8"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", "application/json"],
    ["application/json, text/plain, */*", "", "application/json"],
    ["*/*", "", "application/json"],
    [undefined, "", "application/json"],
    [PROMETHEUS_2, "?format=json", "application/json"],
    [PROMETHEUS_2, "?format=prometheus", "text/plain; version=0.0.4; charset=utf-8"],
  ])("Accept: %s %s", async (accept, query, type) => {
    const response = await get(`/metrics${query}`, accept === undefined ? {} : { Accept: accept });
    expect(response.headers.get("Content-Type")).toBe(type);
    expect(response.headers.get("Vary")).toContain("Accept");
    await response.text();
  });

  it("rejects an unknown format", async () => {
    const response = await get("/metrics?format=xml");
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("It must be one of json, prometheus, openmetrics");
  });
});

describe("a classic histogram", () => {
  const durations = fc.array(fc.double({ min: 1e-6, max: 20_000, noNaN: true }), {
    minLength: 1,
    maxLength: 50,
  });
  const bucketsOf = (all: readonly number[]) => all.flatMap((ms) => [bucketIndex(ms), 1]);

  it("counts calls up to each bound exactly, except for durations within 1.1 % of the bound", () => {
    fc.assert(
      fc.property(durations, (all) => {
        const counts = countsOf(bucketsOf(all));
        for (const [i, bound] of BOUNDS.entries()) {
          const upTo = (seconds: number) => all.filter((ms) => ms <= seconds * 1000).length;
          expect(counts[i]).toBeGreaterThanOrEqual(upTo(bound / 1.011));
          expect(counts[i]).toBeLessThanOrEqual(upTo(bound * 1.011));
        }
      }),
    );
  });

  it("has bucket counts that never go down while calls are added", () => {
    fc.assert(
      fc.property(durations, durations, (before, more) => {
        const [earlier, later] = [countsOf(bucketsOf(before)), countsOf(bucketsOf([...before, ...more]))];
        for (const [i, count] of earlier.entries()) expect(later[i]).toBeGreaterThanOrEqual(count);
      }),
    );
  });

  it("puts a quantile into the bucket that contains the JSON API's value", () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(0.5, 0.9, 0.99), (all, q) => {
        const buckets = bucketsOf(all);
        const [ms] = quantiles(buckets, [q], null, null);
        const counts = countsOf(buckets);
        const rank = Math.max(1, Math.ceil(q * all.length));
        const bucket = counts.findIndex((count) => count >= rank);
        expect(bucket).toBe(BOUNDS.findIndex((bound) => ms! / 1000 <= bound));
      }),
    );
  });
});
