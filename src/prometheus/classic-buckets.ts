/** Converts the exponential histogram to Prometheus' classic one: counts of calls up to fixed bounds. */
import { type Buckets, bucketLowerBound } from "../stats/histogram.ts";

/** The bounds of the Autometrics specification, in seconds. Its dashboards and rules rely on them. */
export const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/**
 * For each bound, how many calls took at most that long. A bucket that spans a bound counts as a whole, on the side of its
 * midpoint. Quantiles use the same midpoint, so both agree. A bound is therefore off by at most 1.1 %.
 *
 * WARNING: the bound under which a bucket counts must depend on the bucket alone. Otherwise a counter could fall.
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
