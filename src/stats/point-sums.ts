/** Turns the value of a data point into sums of calls. */
import { bucketLowerBound, type Buckets, MAX_DURATION_MS, MIN_DURATION_MS, sumBuckets } from "./histogram.ts";
import type { Sums } from "./sums.ts";
import { countOf, type Meaning, type PointValue, type SourceHistogram } from "./point.ts";
import { bucketsOf } from "./source-buckets.ts";

/**
 * What the point adds. Sums of a counter and of its histogram add up to the sums of the calls: the counter adds each call as
 * unmeasured, and the histogram takes those that it measured out again. So they may come in any order, and apart.
 */
export function sumsOfPoint({ adds, isError }: Pick<Meaning, "adds" | "isError">, value: PointValue): Sums {
  if (typeof value === "number") {
    return {
      calls: value,
      errors: isError ? value : 0,
      unmeasured: value,
      sumUs: 0,
      minMs: null,
      maxMs: null,
      buckets: [],
    };
  }
  const durations = durationsOf(value);
  const count = countOf(value);
  const calls = adds === "both" ? count : 0;
  return {
    calls,
    errors: isError ? calls : 0,
    unmeasured: calls - durations.measured,
    sumUs: durations.sumUs,
    minMs: durations.minMs,
    maxMs: durations.maxMs,
    buckets: durations.buckets,
  };
}

function durationsOf(
  histogram: SourceHistogram,
): Omit<Sums, "calls" | "errors" | "unmeasured"> & { measured: number } {
  const measured = countOf(histogram) - histogram.zero;
  // All durations are 0: the sender's clock stood still.
  if (measured === 0 || histogram.sumUs === 0)
    return { measured: 0, sumUs: 0, minMs: null, maxMs: null, buckets: [] };
  const buckets = sumBuckets([bucketsOf(histogram)]);
  const [low, high] = [lowestOf(buckets), highestOf(buckets)];
  const [minMs, maxMs] = [histogram.minMs ?? low, histogram.maxMs ?? high];
  // A sender may tell one of the two, and one that contradicts its own buckets.
  const isInOrder = minMs <= maxMs;
  return {
    measured,
    sumUs: histogram.sumUs,
    minMs: isInOrder ? minMs : low,
    maxMs: isInOrder ? maxMs : high,
    buckets,
  };
}

function lowestOf(buckets: Buckets): number {
  return Math.max(MIN_DURATION_MS, rounded(bucketLowerBound(buckets[0]!)));
}

function highestOf(buckets: Buckets): number {
  return Math.min(MAX_DURATION_MS, rounded(bucketLowerBound(buckets.at(-2)! + 1)));
}

/** To a nanosecond, in at most fifteen digits. */
function rounded(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
