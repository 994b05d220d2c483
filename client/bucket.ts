/** The shared histogram's `bucketIndex` without its logarithm, where that would be felt. */
import { bucketIndex } from "../src/stats/histogram.ts";

/** The buckets of the first whole nanoseconds, once they were asked for; none of them is bucket 0. What is longer it ignores. */
const known = new Int16Array(4096);

/** The bucket of a duration in milliseconds, taken as whole nanoseconds. It must not round to 0. */
export function fastBucketIndex(durationMs: number): number {
  const ns = Math.round(durationMs * 1e6);
  return (known[ns] ||= bucketIndex(ns / 1e6));
}
