import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/api/limits.ts";
import { coarsened } from "../../src/api/distribution.ts";
import { MAX_BUCKET, MIN_BUCKET } from "../../src/stats/histogram.ts";

const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);

describe("a distribution's buckets", () => {
  it("are at most as many as requested, have no gaps, and keep every count", () => {
    const anyBuckets = fc
      .array(fc.tuple(fc.integer({ min: MIN_BUCKET, max: MAX_BUCKET }), fc.integer({ min: 1, max: 1_000 })), {
        minLength: 1,
        maxLength: 8,
      })
      .map((pairs) => pairs.flat());
    fc.assert(
      fc.property(anyBuckets, (fine) => {
        for (let max = 1; max <= limits.histogramBuckets; max++) {
          const buckets = coarsened(fine, max);
          if (buckets.length > max) throw new Error(`${buckets.length} buckets, asked for ${max}`);
          expect(sum(buckets.map(({ calls }) => calls))).toBe(sum(fine.filter((_, i) => i % 2 === 1)));
          expect(buckets.slice(1).map(({ aboveMs }) => aboveMs)).toEqual(
            buckets.slice(0, -1).map(({ toMs }) => toMs),
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  it("are one if one is requested, even for durations below and above 1 ms and for the shortest and longest", () => {
    for (const fine of [
      [-1, 2, 0, 3],
      [MIN_BUCKET, 2, MAX_BUCKET, 3],
    ]) {
      expect(coarsened(fine, 1)).toMatchObject([{ calls: 5 }]);
    }
  });

  it("are powers of two where that is fine enough, so that bounds stay while calls are added", () => {
    expect(coarsened([-3, 1, 70, 1], 4)).toEqual([
      { aboveMs: 0.5, toMs: 1, calls: 1 },
      { aboveMs: 1, toMs: 2, calls: 0 },
      { aboveMs: 2, toMs: 4, calls: 0 },
      { aboveMs: 4, toMs: 8, calls: 1 },
    ]);
  });
});
