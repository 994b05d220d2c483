/** Quantiles and fractions of classic histograms: cumulative counts by upper bound (`le`). */
import { almostEqual } from "../numbers.ts";

export interface ClassicBucket {
  upper: number;
  /** Observations up to the upper bound. */
  count: number;
}

/** What had to be changed to make the counts rise with the bounds. */
export interface MonotonicRepair {
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
}

/** Counts that differ by less, relative to their size, differ by rounding. */
const ROUNDING = 1e-12;

/**
 * The φ-quantile of buckets by ascending bound, interpolated linearly. NaN without observations, without a bucket
 * for +Inf, or with fewer than two buckets. Changes the counts of the buckets.
 */
export function classicQuantile(
  q: number,
  sorted: readonly ClassicBucket[],
): { value: number; repair: MonotonicRepair | undefined } {
  const plain = (value: number): { value: number; repair: undefined } => ({ value, repair: undefined });
  if (Number.isNaN(q)) return plain(Number.NaN);
  if (q < 0) return plain(-Infinity);
  if (q > 1) return plain(Infinity);
  if (sorted.at(-1)?.upper !== Infinity) return plain(Number.NaN);
  const buckets = joinEqualBounds(sorted);
  const repair = makeMonotonic(buckets);
  const last = buckets.length - 1;
  const observations = buckets[last]!.count;
  if (buckets.length < 2 || observations === 0) return { value: Number.NaN, repair };
  const rank = q * observations;
  let at = 0;
  // A comparison with NaN is false, so that NaN counts lead to the last bucket, as a search would.
  while (at < last && !(buckets[at]!.count >= rank)) at++;
  if (at === last) return { value: buckets[last - 1]!.upper, repair };
  const { upper, count } = buckets[at]!;
  if (at === 0 && upper <= 0) return { value: upper, repair };
  const before = at > 0 ? buckets[at - 1]! : { upper: 0, count: 0 };
  const value = before.upper + (upper - before.upper) * ((rank - before.count) / (count - before.count));
  return { value, repair };
}

/** The share of observations between two values. Changes the counts of the buckets. */
export function classicFraction(from: number, to: number, sorted: readonly ClassicBucket[]): number {
  if (sorted.at(-1)?.upper !== Infinity) return Number.NaN;
  const buckets = joinEqualBounds(sorted);
  const total = buckets.at(-1)!.count;
  if (total === 0 || Number.isNaN(from) || Number.isNaN(to)) return Number.NaN;
  if (from >= to) return 0;
  const rankOf = (value: number): number => {
    let lower = buckets[0]!.upper > 0 ? 0 : -Infinity;
    let rank = 0;
    for (const { upper, count } of buckets) {
      if (lower >= value) return rank;
      if (upper > value) {
        return lower === -Infinity ? count : rank + ((count - rank) * (value - lower)) / (upper - lower);
      }
      lower = upper;
      rank = count;
    }
    return total;
  };
  return (Math.min(rankOf(to), total) - Math.min(rankOf(from), total)) / total;
}

/** `le="1"` and `le="1.0"` are one bucket. */
const joinEqualBounds = (sorted: readonly ClassicBucket[]): ClassicBucket[] =>
  sorted.filter((bucket, at) => {
    const next = sorted[at + 1];
    if (next?.upper !== bucket.upper) return true;
    next.count += bucket.count;
    return false;
  });

function makeMonotonic(buckets: ClassicBucket[]): MonotonicRepair | undefined {
  let repair: MonotonicRepair | undefined;
  let previous = buckets[0]!.count;
  for (const bucket of buckets.slice(1)) {
    if (bucket.count === previous) continue;
    if (almostEqual(previous, bucket.count, ROUNDING)) bucket.count = previous;
    else if (bucket.count < previous) {
      repair = {
        minBucket: Math.min(repair?.minBucket ?? Infinity, bucket.upper),
        maxBucket: Math.max(repair?.maxBucket ?? -Infinity, bucket.upper),
        maxDifference: Math.max(repair?.maxDifference ?? 0, previous - bucket.count),
      };
      bucket.count = previous;
    } else previous = bucket.count;
  }
  return repair;
}
