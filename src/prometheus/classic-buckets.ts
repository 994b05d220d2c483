/** Prometheus's classic histogram: counts of calls up to fixed bounds, from the exponential histogram. */
import { type Buckets, bucketLowerBound } from "../stats/histogram.ts";

/** Seconds: the bounds that the Autometrics specification names, to which its dashboards and rules refer. */
export const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/**
 * How many calls took up to each bound. A bucket that holds a bound counts on the side of its midpoint, by which
 * quantiles are told as well: so both agree, and the count at a bound is that of a bound at most 1.1 % off.
 *
 * WARNING: where a bucket counts depends on nothing but the bucket, or else a counter would step back.
 */
export function cumulativeCounts(buckets: Buckets): number[] {
  const counts = BOUNDS.map(() => 0);
  for (let i = 0; i < buckets.length; i += 2) {
    const midpointSeconds = bucketLowerBound(buckets[i]! + 0.5) / 1000;
    const first = BOUNDS.findIndex((bound) => midpointSeconds <= bound);
    if (first >= 0) counts[first]! += buckets[i + 1]!;
  }
  let sum = 0;
  return counts.map((calls) => (sum += calls));
}
