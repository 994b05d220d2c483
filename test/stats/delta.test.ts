import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chunkDeltas } from "../../src/buffer/chunk-deltas.ts";
import { type Delta, mergeDeltas, parseDeltas } from "../../src/stats/delta.ts";
import { sumBuckets } from "../../src/stats/histogram.ts";
import { sumBySeries } from "../../src/stats/sums.ts";

const counts = fc.integer({ min: 1, max: 1_000 });
const durations = fc.integer({ min: 1, max: 1_000_000 }).map((us) => us / 1000);

/** Deltas of few functions and minutes, so that many of them merge. */
const deltas: fc.Arbitrary<Delta> = fc
  .record({
    name: fc.constantFrom("a", "b"),
    module: fc.constantFrom("", "m"),
    minute: fc.constantFrom(60, 120),
    bounds: fc.option(fc.tuple(durations, durations)),
    // In any order, and some of them twice.
    pairs: fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), counts), { maxLength: 5 }),
    failures: fc.uniqueArray(
      fc.record({ name: fc.constantFrom("E", "F"), message: fc.constantFrom("", "x"), calls: counts }),
      {
        selector: ({ name, message }) => `${name} ${message}`,
      },
    ),
    numbers: fc.tuple(counts, counts, counts, counts, counts, counts),
  })
  .map(({ name, module, minute, bounds, pairs, failures, numbers }) => ({
    service: "s",
    module,
    function: name,
    minute,
    calls: numbers[0],
    errors: numbers[1],
    unmeasured: numbers[2],
    sumUs: numbers[3],
    minMs: bounds && Math.min(...bounds),
    maxMs: bounds && Math.max(...bounds),
    buckets: pairs.flat(),
    firstSeen: numbers[4],
    lastSeen: numbers[5],
    failures,
  }));

const delta: Delta = {
  service: "s",
  module: "",
  function: "f",
  minute: 60,
  calls: 1_000,
  errors: 1_000,
  unmeasured: 0,
  sumUs: 5,
  minMs: 0.001,
  maxMs: 0.004,
  buckets: [-300, 1_000],
  firstSeen: 1,
  lastSeen: 2,
  failures: [],
};

const lists = fc.array(deltas, { maxLength: 12 });

/** Equal for deltas that differ in order only. */
function sorted(merged: readonly Delta[]): unknown {
  return merged
    .map((delta) => ({
      ...delta,
      failures: delta.failures.map(({ name, message, calls }) => `${name} ${message} ${calls}`).sort(compare),
    }))
    .sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

describe("merging", () => {
  it("gives the same in any order", () => {
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        expect(sorted(mergeDeltas([...a, ...b]))).toEqual(sorted(mergeDeltas([...b, ...a])));
      }),
    );
  });

  it("gives the same in any grouping, also of deltas that were merged before", () => {
    fc.assert(
      fc.property(lists, lists, lists, (a, b, c) => {
        const whole = sorted(mergeDeltas([...a, ...b, ...c]));
        expect(sorted(mergeDeltas([...mergeDeltas([...a, ...b]), ...c]))).toEqual(whole);
        expect(sorted(mergeDeltas([...a, ...mergeDeltas([...b, ...c])]))).toEqual(whole);
      }),
    );
  });

  it("gives one delta for each function and minute, and does not change its input", () => {
    fc.assert(
      fc.property(lists, (list) => {
        const before = JSON.stringify(list);
        const merged = mergeDeltas(list);
        expect(JSON.stringify(list)).toBe(before);
        const keys = merged.map((delta) => `${delta.module} ${delta.function} ${delta.minute}`);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  it("by series gives the same before and after merging deltas", () => {
    fc.assert(
      fc.property(lists, (list) => {
        const inOrder = sumBySeries(list).map((row) => ({ ...row, buckets: sumBuckets([row.buckets]) }));
        expect(sumBySeries(mergeDeltas(list))).toEqual(inOrder);
      }),
    );
  });
});

it("reads deltas in the form that older versions stored", () => {
  const { buckets: _, ...older } = delta;
  expect(parseDeltas(JSON.stringify([{ ...older, histogram: { "-300": 1_000 } }, delta]))).toEqual([
    delta,
    delta,
  ]);
});

describe("chunks", () => {
  it("have at most the size given, and merge to the deltas that were split", () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 700, max: 3_000 }), (list, maxBytes) => {
        const merged = mergeDeltas(list);
        const parts = chunkDeltas(merged, maxBytes);
        for (const part of parts)
          expect(new TextEncoder().encode(part).byteLength).toBeLessThanOrEqual(maxBytes);
        const together = parts.flatMap((part) => JSON.parse(part) as Delta[]);
        expect(sorted(mergeDeltas(together))).toEqual(sorted(merged));
      }),
    );
  });

  it("split the failures of one delta that is too large, and count no call twice", () => {
    const failures = Array.from({ length: 1_000 }, (_, i) => ({
      name: "E",
      message: `${"ü".repeat(200)}${i}`,
      calls: 1,
    }));
    const large = { ...delta, failures };
    const parts = chunkDeltas([large], 50_000);
    expect(parts.length).toBeGreaterThan(8);
    for (const part of parts) expect(new TextEncoder().encode(part).byteLength).toBeLessThanOrEqual(50_000);
    expect(mergeDeltas(parts.flatMap((part) => JSON.parse(part) as Delta[]))).toEqual([large]);
  });

  it("are none without deltas", () => {
    expect(chunkDeltas([], 1_000)).toEqual([]);
  });
});
