/** The shared histogram's `bucketIndex` without its logarithm, where that would be felt. */
import { bucketIndex } from "../src/stats/histogram.ts";

/** The buckets of durations of this many nanoseconds, once they were asked for; none of them is bucket 0. */
const known = Array<number>(4096);

/** The bucket of a duration in milliseconds, taken as whole nanoseconds if it is short. It must not round to 0. */
export function fastBucketIndex(durationMs: number): number {
  const ns = Math.round(durationMs * 1e6);
  return ns < 4096 ? (known[ns] ||= bucketIndex(ns / 1e6)) : bucketIndex(durationMs);
}
