/** How a sender's buckets become ours. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketIndex, type Buckets, MAX_BUCKET, MIN_BUCKET } from "../../src/stats/histogram.ts";
import type { SourceHistogram } from "../../src/stats/point.ts";
import { sumsOfPoint } from "../../src/stats/point-sums.ts";
import { bucketsOf, estimatedSumUs } from "../../src/stats/source-buckets.ts";

function histogram(
  layout: SourceHistogram["layout"],
  counts: number[],
  more: Partial<SourceHistogram> = {},
): SourceHistogram {
  return { layout, counts, zero: 0, sumUs: 1, minMs: null, maxMs: null, ...more };
}

function total(buckets: Buckets): number {
  return buckets.filter((_, i) => i % 2 === 1).reduce((sum, count) => sum + count, 0);
}

const indexes = (buckets: Buckets) => buckets.filter((_, i) => i % 2 === 0);

describe("exponential buckets in milliseconds", () => {
  it("of a finer scale go where they belong, exactly", () => {
    const found = bucketsOf(histogram({ scale: 7, offset: -5, unitMs: 1 }, [1, 1, 1, 1, 1, 1]));
    expect(found).toEqual([-2, 1, -1, 1, -1, 1, -1, 1, -1, 1, 0, 1]);
  });

  it("of a coarser scale are spread over the buckets that they cover", () => {
    const found = bucketsOf(histogram({ scale: 3, offset: 0, unitMs: 1 }, [8]));
    expect(indexes(found)).toEqual([0, 1, 2, 3]);
    expect(found.filter((_, i) => i % 2 === 1)).toEqual([2, 2, 2, 2]);
  });
});

describe("exponential buckets in seconds", () => {
  it("that are narrow go to the bucket of their middle", () => {
    const offset = Math.floor(Math.log2(0.045) * 2 ** 20);
    const found = bucketsOf(histogram({ scale: 20, offset, unitMs: 1000 }, [3]));
    expect(found).toEqual([bucketIndex(45), 3]);
  });
});

describe("explicit buckets", () => {
  it("begin at the shortest and end at the longest duration, if these are known", () => {
    const known = { minMs: 4, maxMs: 1200 };
    const found = bucketsOf(histogram({ boundsMs: [5, 1000] }, [10, 0, 10], known));
    expect(Math.min(...indexes(found))).toBe(bucketIndex(4) + 1);
    // The last bucket covers so little of the range that it may get none of ten.
    expect(bucketIndex(1200) - Math.max(...indexes(found))).toBeLessThanOrEqual(1);
  });

  it("without a longest duration end just above the last bound", () => {
    expect(bucketsOf(histogram({ boundsMs: [50] }, [0, 7]))).toEqual([bucketIndex(50) + 1, 7]);
  });

  it("give an estimate of a sum that is not told", () => {
    expect(estimatedSumUs(histogram({ boundsMs: [90, 110] }, [0, 10, 0])) / 1e6).toBeCloseTo(1, 1);
  });
});

it("any histogram keeps its count, in buckets that exist", () => {
  const counts = fc.array(fc.nat({ max: 50 }), { maxLength: 20 });
  const layout = fc.oneof(
    fc.record({
      scale: fc.integer({ min: -10, max: 20 }),
      offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
      unitMs: fc.constantFrom(1, 1000),
    }),
    fc
      .uniqueArray(fc.double({ min: -1, max: 1e12, noNaN: true }), { maxLength: 19 })
      .map((bounds) => ({ boundsMs: bounds.sort((a, b) => a - b) })),
  );
  const bound = fc.option(fc.double({ min: 1e-6, max: 6e8, noNaN: true }));
  fc.assert(
    fc.property(layout, counts, bound, bound, (chosen, all, minMs, maxMs) => {
      const fitting = "boundsMs" in chosen ? all.slice(0, chosen.boundsMs.length + 1) : all;
      const found = bucketsOf(histogram(chosen, fitting, { minMs, maxMs }));
      expect(total(found)).toBe(fitting.reduce((sum, count) => sum + count, 0));
      expect(indexes(found).every((index) => index >= MIN_BUCKET && index <= MAX_BUCKET)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

describe("the sums of a point", () => {
  const durations = histogram({ boundsMs: [10] }, [2, 1], { sumUs: 25_000, zero: 1 });

  it("of a counter and of its histogram add up to those of the calls", () => {
    const [counter, measured] = [
      sumsOfPoint({ adds: "calls", isError: true }, 4),
      sumsOfPoint({ adds: "durations", isError: true }, durations),
    ];
    expect([counter.calls, counter.errors, counter.unmeasured]).toEqual([4, 4, 4]);
    expect([measured.calls, measured.errors, measured.unmeasured]).toEqual([0, 0, -3]);
  });

  it("of a histogram alone count its durations as calls", () => {
    const both = sumsOfPoint({ adds: "both", isError: true }, durations);
    expect([both.calls, both.errors, both.unmeasured, both.sumUs]).toEqual([4, 4, 1, 25_000]);
  });

  it("measure nothing if all durations are 0: the clock stood still", () => {
    const still = histogram({ boundsMs: [10] }, [3, 0], { sumUs: 0 });
    expect(sumsOfPoint({ adds: "both", isError: false }, still)).toMatchObject({
      calls: 3,
      unmeasured: 3,
      buckets: [],
      minMs: null,
    });
  });
});
