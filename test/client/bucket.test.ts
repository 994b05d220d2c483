/** The client's histogram is the shared one, got at another way. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { fastBucketIndex } from "../../client/bucket.ts";
import { bucketIndex, bucketLowerBound, MAX_DURATION_MS, MIN_BUCKET } from "../../src/stats/histogram.ts";

/** Node's clock counts nanoseconds, so a difference of two readings is whole ones, but for the last bits. */
const wholeNanoseconds = (ms: number) => Math.round(ms * 1e6) / 1e6;

it("gives every whole number of nanoseconds the shared histogram's bucket, also when it lost a bit on the way", () => {
  for (let ns = 1; ns <= 5_000; ns++) {
    const ms = ns / 1e6;
    for (const noisy of [ms, ms * (1 + 1e-12), ms * (1 - 1e-12), 123_456.789 + ms - 123_456.789]) {
      expect([ns, fastBucketIndex(noisy)]).toEqual([ns, bucketIndex(wholeNanoseconds(noisy))]);
    }
  }
});

it("gives every other duration the shared histogram's bucket, at the bounds of buckets too", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.004096, max: MAX_DURATION_MS, noNaN: true }), (ms) => {
      expect(fastBucketIndex(ms)).toBe(bucketIndex(ms));
    }),
    { numRuns: 2_000 },
  );
  for (let bucket = -250; bucket < 900; bucket++) {
    const bound = bucketLowerBound(bucket);
    for (const ms of [bound, bound * (1 + Number.EPSILON), bound * (1 - Number.EPSILON)]) {
      expect(fastBucketIndex(ms)).toBe(bucketIndex(ms));
    }
  }
});

it("gives the shortest measurable duration the first bucket", () => {
  expect(fastBucketIndex(0.5e-6)).toBe(MIN_BUCKET);
  expect(fastBucketIndex(1e-6)).toBe(MIN_BUCKET);
});
