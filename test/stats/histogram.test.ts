import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bucketIndex,
  bucketLowerBound,
  MAX_BUCKET,
  MAX_DURATION_MS,
  MIN_BUCKET,
  MIN_DURATION_MS,
  quantiles,
  sumBuckets,
  toBuckets,
  toHistogram,
} from "../../src/stats/histogram.ts";

describe("a bucket", () => {
  it("excludes its lower bound and includes its upper bound", () => {
    expect([bucketIndex(1), bucketIndex(1.0001), bucketIndex(2), bucketIndex(4), bucketIndex(0.5)]).toEqual([
      -1, 0, 31, 63, -33,
    ]);
    fc.assert(
      fc.property(fc.double({ min: MIN_DURATION_MS, max: MAX_DURATION_MS, noNaN: true }), (durationMs) => {
        const index = bucketIndex(durationMs);
        expect(durationMs).toBeGreaterThan(bucketLowerBound(index) * (1 - 1e-12));
        expect(durationMs).toBeLessThanOrEqual(bucketLowerBound(index + 1) * (1 + 1e-12));
      }),
    );
  });
});

/** A generator that gives the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

const random = seeded(42);
const gauss = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

describe("quantiles are within 1.1 % of the true ones", () => {
  it.each<[string, () => number]>([
    ["normal", () => Math.max(0.001, 100 + 15 * gauss())],
    ["lognormal", () => Math.exp(1 + 1.5 * gauss())],
    ["bimodal", () => (random() < 0.7 ? 2 + 0.2 * gauss() : 900 + 50 * gauss())],
    ["constant", () => 42.4242],
    ["of nanoseconds", () => 1e-5 * (1 + random())],
    ["of hours", () => 3_600_000 * (1 + 10 * random())],
  ])("for %s durations", (_, draw) => {
    const durations = Array.from({ length: 10_000 }, draw).sort((a, b) => a - b);
    const buckets = durations.flatMap((duration) => [bucketIndex(duration), 1]);
    const at = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];
    const answers = quantiles(buckets, at, durations[0]!, durations.at(-1)!);
    for (const [i, q] of at.entries()) {
      const truth = durations[Math.max(0, Math.ceil(q * durations.length) - 1)]!;
      expect(Math.abs(answers[i]! - truth) / truth, `q = ${q}`).toBeLessThanOrEqual(0.011);
    }
  });
});

it("sums of buckets are in order of index, each once, and equal the histogram", () => {
  const lists = [[5, 1, -600, 2, 5, 3], [], [5, 1, 7, 1]];
  const sum = sumBuckets(lists);
  expect(sum).toEqual([-600, 2, 5, 5, 7, 1]);
  expect(toHistogram(lists.flat())).toEqual({ "-600": 2, "5": 5, "7": 1 });
  expect(sumBuckets([toBuckets({ "7": 1, "-600": 2, "5": 5 })])).toEqual(sum);
  expect(sumBuckets([])).toEqual([]);
  expect(
    sumBuckets([
      [MIN_BUCKET, 1],
      [MAX_BUCKET, 1],
      [0, 2 ** 52, 0, 1],
    ]),
  ).toEqual([MIN_BUCKET, 1, 0, 2 ** 52 + 1, MAX_BUCKET, 1]);
});

it("quantiles without calls are null", () => {
  expect(quantiles([], [0.5, 0.99], null, null)).toEqual([null, null]);
});
