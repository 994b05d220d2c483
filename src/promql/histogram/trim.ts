/** The operators `</` and `>/`: keeps the observations of a native histogram below or above a value. */
import {
  type Bucket,
  type Buckets,
  type Histogram,
  compact,
  hasCustomBounds,
  signedBuckets,
} from "./histogram.ts";
import { fractionBelow } from "./statistics.ts";

export type Kept = "below" | "above";

/** Part of a bucket: how many observations, and what they are taken to be. */
interface Part {
  count: number;
  middle: number;
}

/** A bucket that the value divides is divided by interpolation. The sum is estimated from the middles of buckets. */
export function trim(histogram: Histogram, value: number, kept: Kept): Histogram {
  const custom = hasCustomBounds(histogram);
  let count = 0;
  let sum = 0;
  let changed = false;
  const trimSide = (isPositive: boolean): Buckets => {
    const { indexes, counts } = isPositive ? histogram.positive : histogram.negative;
    const buckets = signedBuckets(histogram, isPositive);
    const trimmed = buckets.map((bucket, at) => {
      if (bucket.count === 0) return 0;
      const part = keepPart(bucket, value, kept, isPositive, custom);
      count += part.count;
      sum += part.middle * part.count;
      if (part.count !== counts[at]) changed = true;
      return part.count;
    });
    return { indexes, counts: trimmed };
  };
  const positive = trimSide(true);
  const negative = trimSide(false);
  let { zeroCount } = histogram;
  if (zeroCount > 0) {
    const part = keepZeroPart(histogram, value, kept);
    if (part.count !== zeroCount) changed = true;
    zeroCount = part.count;
    count += part.count;
    sum += part.middle * part.count;
  }
  return changed ? compact({ ...histogram, count, sum, zeroCount, positive, negative }) : histogram;
}

function keepPart(bucket: Bucket, value: number, kept: Kept, isPositive: boolean, custom: boolean): Part {
  const { lower, upper, count } = bucket;
  const isBelow = kept === "below";
  if (isBelow ? upper <= value : lower >= value)
    return { count, middle: middleOf(lower, upper, isPositive, custom) };
  if (isBelow ? lower >= value : upper <= value) return { count: 0, middle: 0 };
  if (lower === -Infinity) return keepOfFirst(bucket, value, isBelow);
  if (upper === Infinity) return isBelow ? { count: 0, middle: finite(lower) } : { count, middle: value };
  const below = count * fractionBelow(bucket, value, custom);
  return isBelow
    ? { count: below, middle: middleOf(lower, value, isPositive, custom) }
    : { count: count - below, middle: middleOf(value, upper, isPositive, custom) };
}

/** A bucket without a lower end is taken to begin at 0, if it ends above 0. */
function keepOfFirst({ upper, count }: Bucket, value: number, isBelow: boolean): Part {
  const fromZero = Number.isFinite(upper) && upper > 0;
  if (isBelow) {
    if (value > 0 && fromZero) return { count: (count * value) / upper, middle: value / 2 };
    return upper <= 0 ? { count, middle: value } : { count: 0, middle: finite(upper) };
  }
  if (value >= 0 && fromZero) return { count: count * (1 - value / upper), middle: (value + upper) / 2 };
  return { count: value === -Infinity ? count : 0, middle: value === -Infinity ? 0 : finite(upper) };
}

function keepZeroPart(histogram: Histogram, value: number, kept: Kept): Part {
  const { zeroThreshold, zeroCount, positive, negative } = histogram;
  const hasPositive = positive.counts.some((count) => count !== 0);
  const hasNegative = negative.counts.some((count) => count !== 0);
  const upper = hasNegative && !hasPositive ? 0 : zeroThreshold;
  const lower = hasPositive && !hasNegative ? 0 : -zeroThreshold;
  const isBelow = kept === "below";
  const all: Part = { count: zeroCount, middle: (lower + upper) / 2 };
  const none: Part = { count: 0, middle: 0 };
  if (value <= lower) return isBelow ? none : all;
  if (value >= upper) return isBelow ? all : none;
  const below = (value - lower) / (upper - lower);
  return isBelow
    ? { count: zeroCount * below, middle: (lower + value) / 2 }
    : { count: (zeroCount * (upper - value)) / (upper - lower), middle: (value + upper) / 2 };
}

/** Where the observations between two values are taken to be. */
function middleOf(lower: number, upper: number, isPositive: boolean, linear: boolean): number {
  if (!Number.isFinite(lower)) return Number.isFinite(upper) ? (upper > 0 ? upper / 2 : upper) : 0;
  if (!Number.isFinite(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  return Math.sqrt(Math.abs(lower * upper)) * (isPositive ? 1 : -1);
}

const finite = (value: number): number => (Number.isFinite(value) ? value : 0);
