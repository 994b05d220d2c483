import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { query, queryRange } from "../../src/promql/engine.ts";
import { makeLabels } from "../../src/promql/labels.ts";
import { MemorySource } from "../../src/promql/memory-source.ts";

const MINUTE = 60_000;
const LABELS = makeLabels({ __name__: "calls_total", job: "a" });

/** A counter of calls per minute from `firstMinute` on: linear within a minute, a sample at the end of each. */
function sourceOf(counts: readonly number[], firstMinute = 0): MemorySource {
  const source = new MemorySource();
  const totals = [0];
  for (const count of counts) totals.push(totals.at(-1)! + count);
  const fromMs = firstMinute * MINUTE;
  source.setIntegral(LABELS, {
    fromMs,
    valueAt(timeMs) {
      const minutes = Math.min(counts.length, Math.max(0, (timeMs - fromMs) / MINUTE));
      const whole = Math.min(counts.length - 1, Math.floor(minutes));
      return totals[whole]! + counts[whole]! * (minutes - whole);
    },
  });
  for (let index = 1; index <= counts.length; index++) {
    source.append(LABELS, fromMs + index * MINUTE, totals[index]!);
  }
  return source;
}

async function valueOf(text: string, timeMs: number, source: MemorySource): Promise<unknown> {
  const result = await query(text, timeMs, source);
  return result.type === "vector" ? result.samples[0]?.value : result.type;
}

describe("an integral series", () => {
  it("increases over whole minutes by exactly what happened in them", async () => {
    const counts = fc.array(fc.nat(1_000_000), { minLength: 61, maxLength: 90 });
    await fc.assert(
      fc.asyncProperty(counts, fc.integer({ min: 1, max: 60 }), async (counts, minutes) => {
        const end = counts.length;
        const expected = counts.slice(end - minutes).reduce((a, b) => a + b, 0);
        const source = sourceOf(counts);
        expect(await valueOf(`increase(calls_total[${minutes}m])`, end * MINUTE, source)).toBe(expected);
        expect(await valueOf(`delta(calls_total[${minutes}m])`, end * MINUTE, source)).toBe(expected);
        expect(await valueOf(`rate(calls_total[${minutes}m])`, end * MINUTE, source)).toBe(
          expected / (minutes * 60),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("has a rate over a window of one minute, at any time", async () => {
    const source = sourceOf([60, 120, 0]);
    const at = (text: string, seconds: number): Promise<unknown> => valueOf(text, seconds * 1000, source);
    expect(await at("rate(calls_total[1m])", 60)).toBe(1);
    expect(await at("rate(calls_total[1m])", 90)).toBe(1.5);
    expect(await at("irate(calls_total[1m])", 90)).toBe(1.5);
    expect(await at("increase(calls_total[30s])", 75)).toBe(15 + 30);
    expect(await at("increase(calls_total[1m] offset 1m)", 120)).toBe(60);
    expect(await at("increase(calls_total[1m] @ 90)", 500)).toBe(90);
  });

  it("does not go stale, since a function that is called once counts forever", async () => {
    const source = sourceOf([7]);
    const later = 1000 * MINUTE;
    expect(await valueOf("calls_total", later, source)).toBe(7);
    expect(await valueOf("increase(calls_total[1h])", later, source)).toBe(0);
    expect(await valueOf("increase(calls_total[1000m])", later, source)).toBe(7);
  });

  it("is not there before it began", async () => {
    const source = sourceOf([7], 10);
    expect(await valueOf("calls_total", 10 * MINUTE, source)).toBeUndefined();
    expect(await valueOf("increase(calls_total[5m])", 10 * MINUTE - 1, source)).toBeUndefined();
    expect(await valueOf("increase(calls_total[5m])", 10.5 * MINUTE, source)).toBe(3.5);
  });

  it("shows its samples to other functions and to subqueries", async () => {
    const source = sourceOf([1, 2, 3, 4, 5]);
    expect(await valueOf("count_over_time(calls_total[3m])", 5 * MINUTE, source)).toBe(3);
    expect(await valueOf("idelta(calls_total[3m])", 5 * MINUTE, source)).toBe(5);
    expect(await valueOf("increase(calls_total[2m:1m])", 5 * MINUTE, source)).toBe(10);
  });

  it("can have histograms as values", async () => {
    const source = new MemorySource();
    const buckets = (count: number) => ({ indexes: [1, 2], counts: [count, count] });
    source.setIntegral(LABELS, {
      fromMs: 0,
      valueAt: (timeMs) => ({
        schema: 0,
        count: timeMs / 500,
        sum: timeMs / 1000,
        zeroCount: 0,
        zeroThreshold: 0,
        positive: buckets(timeMs / 1000),
        negative: { indexes: [], counts: [] },
        customBounds: [],
        resetHint: "unknown",
      }),
    });
    expect(await valueOf("histogram_count(rate(calls_total[1m]))", 5 * MINUTE, source)).toBe(2);
    expect(await valueOf("histogram_sum(increase(calls_total[1m]))", 5 * MINUTE, source)).toBe(60);
    expect(await valueOf("histogram_quantile(0.5, rate(calls_total[1m]))", 5 * MINUTE, source)).toBe(2);
  });

  it("gives the same at each step of a range query", async () => {
    const source = sourceOf([60, 120, 180, 240]);
    const { series } = await queryRange("rate(calls_total[1m])", MINUTE, 4 * MINUTE, MINUTE, source);
    expect(series[0]!.values).toEqual([1, 2, 3, 4]);
  });
});
