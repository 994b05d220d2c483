/** Converts the exponential histogram to Prometheus' classic one: counts of calls up to fixed bounds. */
import { type Buckets, bucketLowerBound, MAX_BUCKET, MIN_BUCKET } from "../stats/histogram.ts";

/** The bounds of the Autometrics specification, in seconds. Its dashboards and rules rely on them. */
export const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

const UNKNOWN = 255;

/**
 * Writes, for each bound, how many calls took at most that long. A bucket that spans a bound counts as a whole, on the side of its
 * midpoint. Quantiles use the same midpoint, so both agree. A bound is therefore off by at most 1.1 %.
 *
 * WARNING: the bound under which a bucket counts must depend on the bucket alone. Otherwise a counter could fall.
 */
export function writeCumulativeCounts(buckets: Buckets, into: { [index: number]: number }, at: number): void {
  for (let bound = 0; bound < BOUNDS.length; bound++) into[at + bound] = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    const first = boundOf(buckets[i]!);
    if (first < BOUNDS.length) into[at + first]! += buckets[i + 1]!;
  }
  for (let bound = 1; bound < BOUNDS.length; bound++) into[at + bound]! += into[at + bound - 1]!;
}

/** The index of the lowest bound above the bucket's midpoint, by the bucket's distance from `MIN_BUCKET`. */
const known = new Uint8Array(MAX_BUCKET - MIN_BUCKET + 1).fill(UNKNOWN);

function boundOf(bucket: number): number {
  const at = bucket - MIN_BUCKET;
  if (known[at] === UNKNOWN) {
    const midpointSeconds = bucketLowerBound(bucket + 0.5) / 1000;
    const first = BOUNDS.findIndex((bound) => midpointSeconds <= bound);
    known[at] = first === -1 ? BOUNDS.length : first;
  }
  return known[at]!;
}
