/** Sums, differences and multiples of native histograms, with compensated summation in each bucket. */
import { isInfinite } from "../numbers.ts";
import {
  type Buckets,
  type Histogram,
  type ResetHint,
  compact,
  equalLists,
  hasCustomBounds,
} from "./histogram.ts";
import {
  type Tracked,
  addTracked,
  alignZeroBuckets,
  mapCounts,
  track,
  withBounds,
  withSchema,
} from "./layout.ts";

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
    const { histogram } = this.tracked;
    if (hasCustomBounds(histogram) !== hasCustomBounds(other)) return undefined;
    let [a, b] = [this.tracked, track(other)];
    let boundsReconciled = false;
    if (!hasCustomBounds(other)) {
      [a, b] = alignZeroBuckets(a, b);
      const schema = Math.min(histogram.schema, other.schema);
      [a, b] = [withSchema(a, schema), withSchema(b, schema)];
    } else if (!equalLists(histogram.customBounds, other.customBounds)) {
      boundsReconciled = true;
      const bounds = sharedBounds(histogram, other);
      [a, b] = [withBounds(a, bounds), withBounds(b, bounds)];
    }
    const sum = addTracked(a, b, sign);
    const { resetHint, hintsCollide } = combineHints(histogram.resetHint, other.resetHint);
    this.tracked = { ...sum, histogram: { ...sum.histogram, resetHint } };
    return { hintsCollide, boundsReconciled };
  }

  /** Whether a count or the sum of observations became infinite. */
  get overflows(): boolean {
    const { count, sum, zeroCount, positive, negative } = this.tracked.histogram;
    return [count, sum, zeroCount, ...positive.counts, ...negative.counts].some(isInfinite);
  }

  scale(factor: number): void {
    const { histogram, errors } = this.tracked;
    this.tracked = { histogram: scale(histogram, factor), errors: scale(errors, factor) };
  }

  copy(): HistogramSum {
    const copy = new HistogramSum(this.tracked.histogram);
    copy.tracked = this.tracked;
    return copy;
  }

  total(): Histogram {
    const { histogram, errors } = this.tracked;
    const side = (name: "positive" | "negative"): Buckets => ({
      indexes: histogram[name].indexes,
      counts: histogram[name].counts.map((count, at) => count + errors[name].counts[at]!),
    });
    return compact({
      ...histogram,
      count: histogram.count + errors.count,
      sum: histogram.sum + errors.sum,
      zeroCount: histogram.zeroCount + errors.zeroCount,
      positive: side("positive"),
      negative: side("negative"),
    });
  }
}

export const sharedBounds = (a: Histogram, b: Histogram): number[] =>
  a.customBounds.filter((bound) => b.customBounds.includes(bound));

/** Multiplies all counts and the sum. A negative factor makes it a gauge. */
export function scale(histogram: Histogram, factor: number): Histogram {
  const product = mapCounts(histogram, (value) => value * factor);
  return factor < 0 ? { ...product, resetHint: "gauge" } : product;
}

/** Divides all counts and the sum. Division by zero removes the buckets. */
export function divide(histogram: Histogram, divisor: number): Histogram {
  const quotient = mapCounts(histogram, (value) => value / divisor);
  if (divisor > 0) return quotient;
  const none: Buckets = { indexes: [], counts: [] };
  return divisor === 0
    ? { ...quotient, positive: none, negative: none }
    : { ...quotient, resetHint: "gauge" };
}

function combineHints(a: ResetHint, b: ResetHint): { resetHint: ResetHint; hintsCollide: boolean } {
  if (a === b) return { resetHint: a, hintsCollide: false };
  if (a === "gauge" || b === "gauge") return { resetHint: "gauge", hintsCollide: false };
  return { resetHint: "unknown", hintsCollide: a !== "unknown" && b !== "unknown" };
}
