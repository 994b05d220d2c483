/**
 * Native histograms: sample values that hold a whole distribution.
 *
 * Schemas -4 to 8 have exponential buckets: bucket i covers (b^(i-1), b^i] with b = 2^(2^-schema), mirrored for
 * negative values, and a zero bucket between them. Schema -53 has buckets with bounds of its own, each given by its
 * upper bound, the last one up to +Inf. Histograms are never changed once made.
 *
 * https://prometheus.io/docs/specs/native_histograms/
 */
import { formatGeneral } from "../numbers.ts";

export const CUSTOM_SCHEMA = -53;

/** What is known of the counter between the previous sample and this one. */
export type ResetHint = "unknown" | "reset" | "not_reset" | "gauge";

/** Buckets by ascending index. Counts are not cumulative. */
export interface Buckets {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
}

export interface Histogram {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
  /** Upper bounds, strictly ascending and finite. Empty unless the schema is -53. */
  readonly customBounds: readonly number[];
  readonly resetHint: ResetHint;
}

export const NO_BUCKETS: Buckets = { indexes: [], counts: [] };

export const EMPTY_HISTOGRAM: Histogram = {
  schema: 0,
  count: 0,
  sum: 0,
  zeroCount: 0,
  zeroThreshold: 0,
  positive: NO_BUCKETS,
  negative: NO_BUCKETS,
  customBounds: [],
  resetHint: "unknown",
};

export const hasCustomBounds = (histogram: Histogram): boolean => histogram.schema === CUSTOM_SCHEMA;

/** About how many floats' room it takes. */
export const sizeOfHistogram = ({ positive, negative, customBounds }: Histogram): number =>
  10 + 2 * (positive.counts.length + negative.counts.length) + customBounds.length;

/** A bucket with its bounds and its own count. */
export interface Bucket {
  lower: number;
  upper: number;
  lowerInclusive: boolean;
  upperInclusive: boolean;
  count: number;
}

/** The upper bound of a positive bucket. The last finite bucket ends at the largest number, the next one at +Inf. */
export function upperBound({ schema, customBounds }: Histogram, index: number): number {
  if (schema === CUSTOM_SCHEMA) return index < 0 ? -Infinity : (customBounds[index] ?? Infinity);
  return exponentialBound(schema, index);
}

export function exponentialBound(schema: number, index: number): number {
  const exponent = index / 2 ** schema;
  if (exponent >= 1024) return exponent === 1024 ? Number.MAX_VALUE : Infinity;
  const whole = Math.floor(exponent);
  // In two steps, since the power of a whole number is exact, also where the result is subnormal.
  return 2 ** (exponent - whole) * 2 ** whole;
}

/** The index in a coarser schema of the bucket that contains this one. */
export const coarserIndex = (index: number, from: number, to: number): number =>
  Math.floor((index - 1) / 2 ** (from - to)) + 1;

/** All buckets with their bounds, ascending. Bounds within the zero bucket are moved to its edge. */
export const listBuckets = (histogram: Histogram): Bucket[] => joinSides(histogram, histogram.zeroCount > 0);

function joinSides(histogram: Histogram, withZero: boolean): Bucket[] {
  const { zeroThreshold, zeroCount } = histogram;
  const zero: Bucket = {
    lower: -zeroThreshold,
    upper: zeroThreshold,
    lowerInclusive: true,
    upperInclusive: true,
    count: zeroCount,
  };
  const clip = (bound: number): number => (bound > 0 && bound < zeroThreshold ? zeroThreshold : bound);
  const positive = signedBuckets(histogram, true).map((bucket) => ({ ...bucket, lower: clip(bucket.lower) }));
  const negative = signedBuckets(histogram, false).map((bucket) => ({
    ...bucket,
    upper: -clip(-bucket.upper),
  }));
  return [...negative.reverse(), ...(withZero ? [zero] : []), ...positive];
}

/** The buckets of one sign by ascending index. */
export function signedBuckets(histogram: Histogram, isPositive: boolean): Bucket[] {
  const { indexes, counts } = isPositive ? histogram.positive : histogram.negative;
  const custom = hasCustomBounds(histogram);
  return indexes.map((index, at) => {
    const outer = upperBound(histogram, index);
    const inner = upperBound(histogram, index - 1);
    const lower = isPositive ? inner : -outer;
    const upper = isPositive ? outer : -inner;
    return {
      lower,
      upper,
      lowerInclusive: custom ? index === 0 : lower < 0,
      upperInclusive: custom || upper > 0,
      count: counts[at]!,
    };
  });
}

/** The same histogram without empty buckets. */
export function compact(histogram: Histogram): Histogram {
  const positive = compactBuckets(histogram.positive);
  const negative = compactBuckets(histogram.negative);
  const same = positive === histogram.positive && negative === histogram.negative;
  return same ? histogram : { ...histogram, positive, negative };
}

function compactBuckets(buckets: Buckets): Buckets {
  const { indexes, counts } = buckets;
  if (!counts.includes(0)) return buckets;
  return {
    indexes: indexes.filter((_, at) => counts[at] !== 0),
    counts: counts.filter((count) => count !== 0),
  };
}

/** Whether two histograms hold the same counts in the same buckets. Hints do not matter. */
export function equalHistograms(a: Histogram, b: Histogram): boolean {
  const [x, y] = [compact(a), compact(b)];
  return (
    x.schema === y.schema &&
    Object.is(x.count, y.count) &&
    Object.is(x.sum, y.sum) &&
    Object.is(x.zeroCount, y.zeroCount) &&
    x.zeroThreshold === y.zeroThreshold &&
    equalLists(x.customBounds, y.customBounds) &&
    [x.positive, x.negative].every((buckets, side) => {
      const other = side === 0 ? y.positive : y.negative;
      return equalLists(buckets.indexes, other.indexes) && equalLists(buckets.counts, other.counts);
    })
  );
}

export const equalLists = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, at) => Object.is(value, b[at]));

/** The histogram as text: `{count:3, sum:5, (1,2]:3}`. */
export function formatHistogram(histogram: Histogram): string {
  const buckets = joinSides(histogram, true).filter(({ count }) => count !== 0);
  const texts = buckets.map(({ lower, upper, lowerInclusive, upperInclusive, count }) => {
    const bounds = `${formatGeneral(lower)},${formatGeneral(upper)}`;
    return `, ${lowerInclusive ? "[" : "("}${bounds}${upperInclusive ? "]" : ")"}:${formatGeneral(count)}`;
  });
  return `{count:${formatGeneral(histogram.count)}, sum:${formatGeneral(histogram.sum)}${texts.join("")}}`;
}
