/** Finds the histogram bucket of a duration, without a logarithm for the short durations where one would cost most. */
import { bucketIndex } from "../src/stats/histogram.ts";

/** Durations below this many nanoseconds are looked up. */
const KNOWN_NS = 4096;
/** Buckets by whole nanoseconds, filled on first use. None of them is 0, so that 0 means "not yet known". */
const known = /* @__PURE__ */ Array<number>(KNOWN_NS).fill(0);

/** The bucket of a duration in milliseconds. Short durations count as whole nanoseconds; they must not round to 0. */
export function fastBucketIndex(durationMs: number): number {
  const ns = Math.round(durationMs * 1e6);
  return ns < KNOWN_NS ? (known[ns] ||= bucketIndex(ns / 1e6)) : bucketIndex(durationMs);
}
