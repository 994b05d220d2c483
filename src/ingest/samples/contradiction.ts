/** Finds contradictions between the fields of a sum of calls. */
import { bucketIndex, MIN_DURATION_MS } from "../../stats/histogram.ts";
import type { SumOfCalls } from "../sample.ts";

const ROUNDING_MS = 1e-3;

/** Returns a sentence about the first contradiction, or undefined if the fields agree. */
export function contradictionIn(sum: SumOfCalls): string | undefined {
  const { calls, errors, unmeasured } = sum;
  if (errors > calls) return `errors (${errors}) must not be above calls (${calls}).`;
  if (unmeasured > calls) return `unmeasured (${unmeasured}) must not be above calls (${calls}).`;
  const measured = calls - unmeasured;
  const counted = Object.values(sum.histogram).reduce((total, inBucket) => total + inBucket, 0);
  if (counted !== measured) {
    return `histogram adds up to ${counted} calls, but calls - unmeasured is ${measured}.`;
  }
  const failed = sum.failures.reduce((total, failure) => total + failure.calls, 0);
  if (failed > errors) return `failures add up to ${failed} calls, but errors is ${errors}.`;
  return contradictionInDurations(sum, measured);
}

function contradictionInDurations(
  { sumMs, minMs, maxMs, histogram }: SumOfCalls,
  measured: number,
): string | undefined {
  if (measured === 0) return sumMs > 0 ? `sumMs is ${sumMs}, but no call was measured.` : undefined;
  if (typeof minMs !== "number" || typeof maxMs !== "number") {
    return "minMs and maxMs must be given if calls were measured.";
  }
  if (minMs > maxMs) return `minMs (${minMs}) must not be above maxMs (${maxMs}).`;
  // Adding floating-point numbers makes a small error. A larger difference is a mistake.
  const tolerance = 1e-6 * sumMs + ROUNDING_MS;
  if (sumMs < minMs * measured - tolerance || sumMs > maxMs * measured + tolerance) {
    return `sumMs (${sumMs}) must lie between minMs and maxMs times the ${measured} measured calls.`;
  }
  // A sender may round the durations to microseconds after it has found their buckets.
  const lowest = bucketOf(minMs - ROUNDING_MS) - 1;
  const highest = bucketOf(maxMs + ROUNDING_MS) + 1;
  for (const bucket in histogram) {
    if (Number(bucket) < lowest || Number(bucket) > highest) {
      return (
        `histogram has calls in bucket ${bucket}, but minMs (${minMs}) is in bucket ${bucketOf(minMs)} and ` +
        `maxMs (${maxMs}) in bucket ${bucketOf(maxMs)}.`
      );
    }
  }
  return undefined;
}

/** Durations that a clock measured as 0 are in the first bucket. */
function bucketOf(durationMs: number): number {
  return bucketIndex(Math.max(MIN_DURATION_MS, durationMs));
}
