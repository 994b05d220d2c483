/** Quantiles, fractions and variances of native histograms. */
import { CompensatedSum } from "../numbers.ts";
import { type Bucket, type Histogram, hasCustomBounds, listBuckets } from "./histogram.ts";

/** What observations of NaN did to a result. They count, but are in no bucket. */
export type NaNEffect = "none" | "result is NaN" | "skewed";

/**
 * The φ-quantile. Within a bucket, observations are taken as spread evenly on a logarithmic scale, or on a linear
 * one in the zero bucket and in custom buckets.
 */
export function histogramQuantile(q: number, histogram: Histogram): { value: number; effect: NaNEffect } {
  const plain = (value: number): { value: number; effect: NaNEffect } => ({ value, effect: "none" });
  if (q < 0) return plain(-Infinity);
  if (q > 1) return plain(Infinity);
  if (histogram.count === 0 || Number.isNaN(q)) return plain(Number.NaN);
  const custom = hasCustomBounds(histogram);
  const hasNaN = Number.isNaN(histogram.sum);
  // From the nearer end, to lose less precision. NaN counts at the upper end, so then the way must be upwards.
  const upwards = hasNaN || q < 0.5;
  const buckets = listBuckets(histogram);
  if (!upwards) buckets.reverse();
  let rank = (upwards ? q : 1 - q) * histogram.count;
  let count = 0;
  let at = 0;
  let bucket: Bucket = { lower: 0, upper: 0, lowerInclusive: true, upperInclusive: true, count: 0 };
  for (; at < buckets.length; at++) {
    const candidate = buckets[at]!;
    bucket = candidate;
    if (candidate.count === 0) continue;
    count += candidate.count;
    if (count >= rank) break;
  }
  bucket = custom ? { ...bucket } : narrowZeroBucket(bucket, histogram);
  if (custom) {
    if (bucket.lower === -Infinity) {
      if (bucket.upper <= 0) return plain(bucket.upper);
      bucket.lower = 0;
    } else if (bucket.upper === Infinity) return plain(bucket.lower);
  }
  count = Math.min(count, histogram.count);
  if (count < rank) return hasNaN ? { value: Number.NaN, effect: "result is NaN" } : plain(bucket.upper);
  rank = upwards ? rank - (count - bucket.count) : count - rank;
  let effect: NaNEffect = "none";
  if (hasNaN) {
    for (at++; at < buckets.length; at++) count += buckets[at]!.count;
    if (count < histogram.count) effect = "skewed";
  }
  const fraction = rank / bucket.count;
  const { lower, upper } = bucket;
  if (custom || (lower <= 0 && upper >= 0)) return { value: lower + (upper - lower) * fraction, effect };
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const value =
    lower > 0
      ? 2 ** (logLower + (logUpper - logLower) * fraction)
      : -(2 ** (logUpper + (logLower - logUpper) * (1 - fraction)));
  return { value, effect };
}

/** The share of observations between two values. Observations of NaN are in no range. */
export function histogramFraction(
  from: number,
  to: number,
  histogram: Histogram,
): { value: number; hasNaN: boolean } {
  if (histogram.count === 0 || Number.isNaN(from) || Number.isNaN(to))
    return { value: Number.NaN, hasNaN: false };
  if (from >= to) return { value: 0, hasNaN: false };
  const custom = hasCustomBounds(histogram);
  const buckets = listBuckets(histogram);
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const hasNaN = Number.isNaN(histogram.sum) && total < histogram.count;
  const limit = Number.isNaN(histogram.sum) ? total : histogram.count;
  const rankOf = (value: number): number => {
    let rank = 0;
    for (const original of buckets) {
      const isZero = original.lower <= 0 && original.upper >= 0;
      const bucket = isZero ? narrowZeroBucket(original, histogram) : original;
      if (bucket.lower >= value) return rank;
      if (bucket.upper > value) {
        // A bucket without a lower end cannot be divided. All of it is taken as below.
        if (bucket.lower === -Infinity && (custom || isZero)) return bucket.count;
        return rank + bucket.count * fractionBelow(bucket, value, custom || isZero);
      }
      rank += bucket.count;
    }
    return limit;
  };
  return { value: (Math.min(rankOf(to), limit) - Math.min(rankOf(from), limit)) / histogram.count, hasNaN };
}

/** The share of a bucket's observations that are below a value inside of it. */
export function fractionBelow({ lower, upper }: Bucket, value: number, linear: boolean): number {
  if (linear) return (value - lower) / (upper - lower);
  const logLower = Math.log2(Math.abs(lower));
  const logUpper = Math.log2(Math.abs(upper));
  const logValue = Math.log2(Math.abs(value));
  return value > 0
    ? (logValue - logLower) / (logUpper - logLower)
    : 1 - (logValue - logUpper) / (logLower - logUpper);
}

/** The variance, estimated with each observation at the middle of its bucket. */
export function histogramVariance(histogram: Histogram): number {
  const mean = histogram.sum / histogram.count;
  const custom = hasCustomBounds(histogram);
  const sum = new CompensatedSum();
  for (const { lower, upper, count } of listBuckets(histogram)) {
    if (count === 0) continue;
    const middle = custom
      ? (upper + lower) / 2
      : lower <= 0 && upper >= 0
        ? 0
        : Math.sqrt(upper * lower) * Math.sign(upper);
    sum.add(count * (middle - mean) ** 2);
  }
  return (sum.sum + sum.compensation) / histogram.count;
}

/** With buckets on one side only, the zero bucket is taken as the half of that side. */
function narrowZeroBucket(bucket: Bucket, { positive, negative }: Histogram): Bucket {
  if (bucket.lower > 0 || bucket.upper < 0) return bucket;
  const [positives, negatives] = [positive.indexes.length, negative.indexes.length];
  if (negatives === 0 && positives > 0) return { ...bucket, lower: 0 };
  if (positives === 0 && negatives > 0) return { ...bucket, upper: 0 };
  return bucket;
}
