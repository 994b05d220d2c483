/** Sums, differences and multiples of native histograms, with compensated summation in each bucket. */
import { compensate, isInfinite } from "../numbers.ts";
import {
  type Buckets,
  type Histogram,
  type ResetHint,
  compact,
  coarserIndex,
  equalLists,
  hasCustomBounds,
  signedBuckets,
} from "./histogram.ts";

/** A histogram and the rounding errors of its counts so far, in the same buckets. */
interface Tracked {
  histogram: Histogram;
  errors: {
    count: number;
    sum: number;
    zeroCount: number;
    positive: readonly number[];
    negative: readonly number[];
  };
}

export interface Combination {
  histogram: Histogram;
  /** One histogram said that the counter was reset, the other that it was not. */
  hintsCollide: boolean;
  /** Bounds of custom buckets differed. The result has those that both have. */
  boundsReconciled: boolean;
}

/** Adds two histograms, or subtracts the second. Undefined if only one of them has custom buckets. */
export function combine(a: Histogram, b: Histogram, sign: 1 | -1): Combination | undefined {
  const sum = new HistogramSum(a);
  const outcome = sum.add(b, sign);
  return outcome && { histogram: sum.total(), ...outcome };
}

/** A running sum of histograms. */
export class HistogramSum {
  private tracked: Tracked;

  constructor(first: Histogram) {
    this.tracked = track(first);
  }

  /** Adds a histogram. If it does not fit, the sum stays as it was and the result is undefined. */
  add(other: Histogram, sign: 1 | -1 = 1): Omit<Combination, "histogram"> | undefined {
    let a = this.tracked;
    if (hasCustomBounds(a.histogram) !== hasCustomBounds(other)) return undefined;
    let b = track(other);
    const { hint, hintsCollide } = combineHints(a.histogram.resetHint, other.resetHint);
    let boundsReconciled = false;
    if (hasCustomBounds(other)) {
      if (!equalLists(a.histogram.customBounds, other.customBounds)) {
        boundsReconciled = true;
        const bounds = a.histogram.customBounds.filter((bound) => other.customBounds.includes(bound));
        a = withBounds(a, bounds);
        b = withBounds(b, bounds);
      }
    } else {
      [a, b] = alignZeroBuckets(a, b);
      const schema = Math.min(a.histogram.schema, other.schema);
      a = withSchema(a, schema);
      b = withSchema(b, schema);
    }
    this.tracked = { ...addTracked(a, b, sign) };
    this.tracked.histogram = { ...this.tracked.histogram, resetHint: hint };
    return { hintsCollide, boundsReconciled };
  }

  /** Whether a count or the sum of observations became infinite. */
  get overflows(): boolean {
    const { count, sum, zeroCount, positive, negative } = this.tracked.histogram;
    return [count, sum, zeroCount, ...positive.counts, ...negative.counts].some(isInfinite);
  }

  scale(factor: number): void {
    const { histogram, errors } = this.tracked;
    const times = (value: number): number => value * factor;
    this.tracked = {
      histogram: scale(histogram, factor),
      errors: {
        count: times(errors.count),
        sum: times(errors.sum),
        zeroCount: times(errors.zeroCount),
        positive: errors.positive.map(times),
        negative: errors.negative.map(times),
      },
    };
  }

  copy(): HistogramSum {
    const copy = new HistogramSum(this.tracked.histogram);
    copy.tracked = this.tracked;
    return copy;
  }

  total(): Histogram {
    const { histogram, errors } = this.tracked;
    const corrected = ({ indexes, counts }: Buckets, side: readonly number[]): Buckets => ({
      indexes,
      counts: counts.map((count, at) => count + side[at]!),
    });
    return compact({
      ...histogram,
      count: histogram.count + errors.count,
      sum: histogram.sum + errors.sum,
      zeroCount: histogram.zeroCount + errors.zeroCount,
      positive: corrected(histogram.positive, errors.positive),
      negative: corrected(histogram.negative, errors.negative),
    });
  }
}

/** Multiplies all counts and the sum. A negative factor makes it a gauge. */
export function scale(histogram: Histogram, factor: number): Histogram {
  return mapCounts(histogram, (value) => value * factor, factor < 0);
}

/** Divides all counts and the sum. Division by zero removes the buckets. */
export function divide(histogram: Histogram, divisor: number): Histogram {
  const quotient = mapCounts(histogram, (value) => value / divisor, divisor < 0);
  const none: Buckets = { indexes: [], counts: [] };
  return divisor === 0 ? { ...quotient, positive: none, negative: none } : quotient;
}

function mapCounts(histogram: Histogram, map: (value: number) => number, isGauge: boolean): Histogram {
  const mapBuckets = ({ indexes, counts }: Buckets): Buckets => ({ indexes, counts: counts.map(map) });
  return {
    ...histogram,
    count: map(histogram.count),
    sum: map(histogram.sum),
    zeroCount: map(histogram.zeroCount),
    positive: mapBuckets(histogram.positive),
    negative: mapBuckets(histogram.negative),
    resetHint: isGauge ? "gauge" : histogram.resetHint,
  };
}

/** The same histogram in a coarser schema. */
export const toSchema = (histogram: Histogram, schema: number): Histogram =>
  withSchema(track(histogram), schema).histogram;

/** The same histogram with fewer custom bounds. */
export const toBounds = (histogram: Histogram, bounds: readonly number[]): Histogram =>
  withBounds(track(histogram), bounds).histogram;

/**
 * What the zero bucket would hold up to this threshold, which must not be below the histogram's own. If the threshold
 * is inside of a bucket with observations, the bucket's end is the threshold.
 */
export function widenZeroBucket(
  histogram: Histogram,
  threshold: number,
): { zeroCount: number; threshold: number } {
  const { histogram: wider } = widen(track(histogram), threshold);
  return { zeroCount: wider.zeroCount, threshold: wider.zeroThreshold };
}

function track(histogram: Histogram): Tracked {
  const zeros = ({ counts }: Buckets): number[] => counts.map(() => 0);
  const [positive, negative] = [zeros(histogram.positive), zeros(histogram.negative)];
  return { histogram, errors: { count: 0, sum: 0, zeroCount: 0, positive, negative } };
}

function combineHints(a: ResetHint, b: ResetHint): { hint: ResetHint; hintsCollide: boolean } {
  if (a === b) return { hint: a, hintsCollide: false };
  if (a === "gauge" || b === "gauge") return { hint: "gauge", hintsCollide: false };
  return { hint: "unknown", hintsCollide: a !== "unknown" && b !== "unknown" };
}

function alignZeroBuckets(first: Tracked, second: Tracked): [Tracked, Tracked] {
  let [a, b] = [first, second];
  while (a.histogram.zeroThreshold !== b.histogram.zeroThreshold) {
    if (a.histogram.zeroThreshold > b.histogram.zeroThreshold) b = widen(b, a.histogram.zeroThreshold);
    else a = widen(a, b.histogram.zeroThreshold);
  }
  return [a, b];
}

function widen(tracked: Tracked, minThreshold: number): Tracked {
  const { histogram, errors } = tracked;
  if (minThreshold === histogram.zeroThreshold) return tracked;
  const sides = [
    { buckets: signedBuckets(histogram, true), errors: errors.positive },
    // Mirrored, so that both sides go from the inside to the outside.
    {
      buckets: signedBuckets(histogram, false).map(({ lower, upper, count }) => ({
        lower: -upper,
        upper: -lower,
        count,
      })),
      errors: errors.negative,
    },
  ];
  let threshold = minThreshold;
  for (let previous = Number.NaN; previous !== threshold;) {
    previous = threshold;
    for (const { buckets } of sides) {
      const cut = buckets.find(
        ({ lower, upper, count }) => lower < threshold && upper > threshold && count !== 0,
      );
      if (cut) threshold = cut.upper;
    }
  }
  let zeroCount = histogram.zeroCount;
  let zeroError = errors.zeroCount;
  const add = (value: number): void => {
    const next = zeroCount + value;
    zeroError = compensate(zeroCount, value, next, zeroError);
    zeroCount = next;
  };
  const kept = sides.map(({ buckets, errors }) => {
    const first = buckets.findIndex(({ lower }) => lower >= threshold);
    const inside = first === -1 ? buckets.length : first;
    for (let at = 0; at < inside; at++) {
      add(buckets[at]!.count);
      add(errors[at]!);
    }
    return inside;
  });
  const cutBuckets = ({ indexes, counts }: Buckets, from: number): Buckets => ({
    indexes: indexes.slice(from),
    counts: counts.slice(from),
  });
  return {
    histogram: {
      ...histogram,
      zeroCount,
      zeroThreshold: threshold,
      positive: cutBuckets(histogram.positive, kept[0]!),
      negative: cutBuckets(histogram.negative, kept[1]!),
    },
    errors: {
      ...errors,
      zeroCount: zeroError,
      positive: errors.positive.slice(kept[0]),
      negative: errors.negative.slice(kept[1]),
    },
  };
}

function withSchema(tracked: Tracked, schema: number): Tracked {
  const { histogram } = tracked;
  if (schema === histogram.schema) return tracked;
  return regroup(tracked, { ...histogram, schema }, (index) => coarserIndex(index, histogram.schema, schema));
}

function withBounds(tracked: Tracked, bounds: readonly number[]): Tracked {
  const { histogram } = tracked;
  return regroup(tracked, { ...histogram, customBounds: bounds }, (index) => {
    const bound = histogram.customBounds[index] ?? Infinity;
    const target = bounds.findIndex((candidate) => candidate >= bound);
    return target === -1 ? bounds.length : target;
  });
}

/** Moves counts to other buckets. The new index must not fall where the old one rises. */
function regroup(
  { histogram, errors }: Tracked,
  layout: Histogram,
  move: (index: number) => number,
): Tracked {
  const side = ({ indexes, counts }: Buckets, sideErrors: readonly number[]): Side =>
    mergeSides(EMPTY_SIDE, { indexes: indexes.map(move), counts, errors: sideErrors }, 1);
  const positive = side(histogram.positive, errors.positive);
  const negative = side(histogram.negative, errors.negative);
  return {
    histogram: { ...layout, positive, negative },
    errors: { ...errors, positive: positive.errors, negative: negative.errors },
  };
}

interface Side extends Buckets {
  readonly errors: readonly number[];
}

const EMPTY_SIDE: Side = { indexes: [], counts: [], errors: [] };

function addTracked(a: Tracked, b: Tracked, sign: 1 | -1): Tracked {
  const side = (name: "positive" | "negative"): Side =>
    mergeSides(
      { ...a.histogram[name], errors: a.errors[name] },
      { ...b.histogram[name], errors: b.errors[name] },
      sign,
    );
  const number = (name: "count" | "sum" | "zeroCount"): [number, number] =>
    addWithError(a.histogram[name], a.errors[name], sign * b.histogram[name], sign * b.errors[name]);
  const [count, countError] = number("count");
  const [sum, sumError] = number("sum");
  const [zeroCount, zeroError] = number("zeroCount");
  const positive = side("positive");
  const negative = side("negative");
  return {
    histogram: { ...a.histogram, count, sum, zeroCount, positive, negative },
    errors: {
      count: countError,
      sum: sumError,
      zeroCount: zeroError,
      positive: positive.errors,
      negative: negative.errors,
    },
  };
}

/** Merges two ascending lists of buckets. Indexes within a list may repeat. */
function mergeSides(a: Side, b: Side, sign: 1 | -1): Side {
  const indexes: number[] = [];
  const counts: number[] = [];
  const errors: number[] = [];
  const put = (side: Side, at: number, factor: number): void => {
    const index = side.indexes[at]!;
    const last = indexes.length - 1;
    const [count, error] = [factor * side.counts[at]!, factor * side.errors[at]!];
    if (indexes[last] !== index) {
      indexes.push(index);
      counts.push(count);
      errors.push(error);
      return;
    }
    [counts[last], errors[last]] = addWithError(counts[last]!, errors[last]!, count, error);
  };
  let atB = 0;
  for (let atA = 0; atA < a.indexes.length; atA++) {
    for (; atB < b.indexes.length && b.indexes[atB]! < a.indexes[atA]!; atB++) put(b, atB, sign);
    put(a, atA, 1);
  }
  for (; atB < b.indexes.length; atB++) put(b, atB, sign);
  return { indexes, counts, errors };
}

function addWithError(sum: number, error: number, value: number, valueError: number): [number, number] {
  const next = sum + value;
  const withValue = compensate(sum, value, next, error);
  const total = next + valueError;
  return [total, compensate(next, valueError, total, withValue)];
}
