/** Moves the counts of native histograms to other buckets, with the rounding errors of compensated sums beside them. */
import { compensate } from "../numbers.ts";
import { type Buckets, type Histogram, coarserIndex, signedBuckets } from "./histogram.ts";

/** A histogram, and the rounding errors of all its numbers so far, in the same buckets. */
export interface Tracked {
  readonly histogram: Histogram;
  readonly errors: Histogram;
}

export const track = (histogram: Histogram): Tracked => ({
  histogram,
  errors: mapCounts(histogram, () => 0),
});

/** Applies a function to each count and to the sum of observations. */
export function mapCounts(histogram: Histogram, map: (value: number) => number): Histogram {
  const mapBuckets = ({ indexes, counts }: Buckets): Buckets => ({ indexes, counts: counts.map(map) });
  return {
    ...histogram,
    count: map(histogram.count),
    sum: map(histogram.sum),
    zeroCount: map(histogram.zeroCount),
    positive: mapBuckets(histogram.positive),
    negative: mapBuckets(histogram.negative),
  };
}

/** Makes the zero buckets equally wide, so that none ends inside of a bucket that holds something. */
export function alignZeroBuckets(first: Tracked, second: Tracked): [Tracked, Tracked] {
  let [a, b] = [first, second];
  for (;;) {
    const difference = a.histogram.zeroThreshold - b.histogram.zeroThreshold;
    if (difference === 0) return [a, b];
    if (difference > 0) b = widen(b, a.histogram.zeroThreshold);
    else a = widen(a, b.histogram.zeroThreshold);
  }
}

/**
 * Widens the zero bucket to a threshold that must not be below its own. If that is inside of a bucket with
 * observations, the zero bucket ends where that bucket ends.
 */
export function widen(tracked: Tracked, minThreshold: number): Tracked {
  const { histogram, errors } = tracked;
  // Mirrored, so that both sides go from the inside to the outside.
  const mirrored = signedBuckets(histogram, false).map(({ lower, upper, count }) => ({
    lower: -upper,
    upper: -lower,
    count,
  }));
  const sides = { positive: signedBuckets(histogram, true), negative: mirrored };
  let threshold = minThreshold;
  for (let previous = Number.NaN; previous !== threshold;) {
    previous = threshold;
    const cut = [...sides.positive, ...sides.negative].find(
      ({ lower, upper, count }) => lower < threshold && upper > threshold && count !== 0,
    );
    if (cut) threshold = cut.upper;
  }
  let zero: Sum = [histogram.zeroCount, errors.zeroCount];
  const outside = (side: "positive" | "negative"): [Buckets, Buckets] => {
    const inside = sides[side].filter(({ lower }) => lower < threshold).length;
    for (let at = 0; at < inside; at++) {
      zero = addTo(zero, histogram[side].counts[at]!, errors[side].counts[at]!);
    }
    const rest = ({ indexes, counts }: Buckets): Buckets => ({
      indexes: indexes.slice(inside),
      counts: counts.slice(inside),
    });
    return [rest(histogram[side]), rest(errors[side])];
  };
  const [positive, positiveErrors] = outside("positive");
  const [negative, negativeErrors] = outside("negative");
  return {
    histogram: { ...histogram, zeroCount: zero[0], zeroThreshold: threshold, positive, negative },
    errors: { ...errors, zeroCount: zero[1], positive: positiveErrors, negative: negativeErrors },
  };
}

/** Joins buckets to those of a coarser schema. */
export function withSchema(tracked: Tracked, schema: number): Tracked {
  const { histogram } = tracked;
  if (schema === histogram.schema) return tracked;
  return regroup(tracked, { schema }, (index) => coarserIndex(index, histogram.schema, schema));
}

/** Joins custom buckets to those of fewer bounds. */
export function withBounds(tracked: Tracked, customBounds: readonly number[]): Tracked {
  return regroup(tracked, { customBounds }, (index) => {
    const bound = tracked.histogram.customBounds[index] ?? Infinity;
    const target = customBounds.findIndex((candidate) => candidate >= bound);
    return target === -1 ? customBounds.length : target;
  });
}

/** Moves counts to other buckets. The new index must not fall where the old one rises. */
function regroup(tracked: Tracked, layout: Partial<Histogram>, move: (index: number) => number): Tracked {
  const moved = ({ histogram, errors }: Tracked, side: "positive" | "negative"): [Buckets, Buckets] => {
    const { indexes, counts } = histogram[side];
    return mergeBuckets([NOTHING, NOTHING], [{ indexes: indexes.map(move), counts }, errors[side]], 1);
  };
  return withSides(tracked, layout, moved(tracked, "positive"), moved(tracked, "negative"));
}

const NOTHING: Buckets = { indexes: [], counts: [] };

/** Adds histograms of the same layout. */
export function addTracked(a: Tracked, b: Tracked, sign: 1 | -1): Tracked {
  const side = (name: "positive" | "negative"): [Buckets, Buckets] =>
    mergeBuckets([a.histogram[name], a.errors[name]], [b.histogram[name], b.errors[name]], sign);
  const number = (name: "count" | "sum" | "zeroCount"): Sum =>
    addTo([a.histogram[name], a.errors[name]], sign * b.histogram[name], sign * b.errors[name]);
  const [count, sum, zeroCount] = [number("count"), number("sum"), number("zeroCount")];
  const { histogram, errors } = withSides(a, {}, side("positive"), side("negative"));
  return {
    histogram: { ...histogram, count: count[0], sum: sum[0], zeroCount: zeroCount[0] },
    errors: { ...errors, count: count[1], sum: sum[1], zeroCount: zeroCount[1] },
  };
}

function withSides(
  { histogram, errors }: Tracked,
  layout: Partial<Histogram>,
  [positive, positiveErrors]: [Buckets, Buckets],
  [negative, negativeErrors]: [Buckets, Buckets],
): Tracked {
  return {
    histogram: { ...histogram, ...layout, positive, negative },
    errors: { ...errors, positive: positiveErrors, negative: negativeErrors },
  };
}

/** Merges two ascending lists of buckets, each with its errors. Indexes within a list may repeat. */
function mergeBuckets(a: [Buckets, Buckets], b: [Buckets, Buckets], sign: 1 | -1): [Buckets, Buckets] {
  const indexes: number[] = [];
  const sums: Sum[] = [];
  const put = ([{ indexes: from, counts }, errors]: [Buckets, Buckets], at: number, factor: number): void => {
    const last = indexes.at(-1) === from[at] ? sums.pop() : undefined;
    if (!last) indexes.push(from[at]!);
    const [count, error] = [factor * counts[at]!, factor * errors.counts[at]!];
    sums.push(last ? addTo(last, count, error) : [count, error]);
  };
  let atB = 0;
  const end = b[0].indexes.length;
  for (let atA = 0; atA < a[0].indexes.length; atA++) {
    for (; atB < end && b[0].indexes[atB]! < a[0].indexes[atA]!; atB++) put(b, atB, sign);
    put(a, atA, 1);
  }
  for (; atB < end; atB++) put(b, atB, sign);
  return [
    { indexes, counts: sums.map(([sum]) => sum) },
    { indexes, counts: sums.map(([, error]) => error) },
  ];
}

/** A number and its rounding error. */
type Sum = readonly [sum: number, error: number];

function addTo([sum, error]: Sum, value: number, valueError: number): Sum {
  const next = sum + value;
  const total = next + valueError;
  return [total, compensate(next, valueError, total, compensate(sum, value, next, error))];
}
