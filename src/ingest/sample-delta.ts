/** Converts a sample to a delta: the sums of one function in one minute. */
import type { Delta } from "../stats/delta.ts";
import { bucketIndex, MIN_DURATION_MS, toBuckets } from "../stats/histogram.ts";
import { ingestLimits } from "./limits.ts";
import { wholeMicroseconds, wholeNanoseconds } from "./rounding.ts";
import type { Sample, SingleCall, SumOfCalls } from "./sample.ts";
import type { Sums } from "../stats/sums.ts";

/**
 * Returns the sample's delta, or undefined if the sample is too old. A time ahead of the server's clock counts as now.
 *
 * @param now epoch milliseconds
 */
export function toDelta(service: string, sample: Sample, now: number): Delta | undefined {
  const at = Math.min(Math.floor(sample.at ?? now), now);
  if (isTooOld(at, now)) return undefined;
  return {
    service,
    module: sample.module,
    function: sample.function,
    minute: Math.floor(at / 60_000) * 60,
    firstSeen: at,
    lastSeen: at,
    ...("calls" in sample ? sumsOfMany(sample) : sumsOfOne(sample)),
  };
}

/** Both times are epoch milliseconds. */
export function isTooOld(at: number, now: number): boolean {
  return at < now - ingestLimits.sampleAgeMs;
}

function sumsOfOne({ durationMs, error }: SingleCall): Sums & Pick<Delta, "failures"> {
  const measuredMs = wholeNanoseconds(durationMs);
  const isMeasured = measuredMs > 0;
  return {
    calls: 1,
    errors: error ? 1 : 0,
    unmeasured: isMeasured ? 0 : 1,
    sumUs: wholeMicroseconds(durationMs),
    minMs: isMeasured ? measuredMs : null,
    maxMs: isMeasured ? measuredMs : null,
    buckets: isMeasured ? [bucketIndex(measuredMs), 1] : [],
    failures: error ? [{ ...error, calls: 1 }] : [],
  };
}

function sumsOfMany(sum: SumOfCalls): Sums & Pick<Delta, "failures"> {
  const isMeasured = sum.calls > sum.unmeasured;
  return {
    calls: sum.calls,
    errors: sum.errors,
    unmeasured: sum.unmeasured,
    sumUs: wholeMicroseconds(sum.sumMs),
    // A browser measures 0 for a duration that is shorter than a step of its clock.
    minMs: isMeasured ? Math.max(MIN_DURATION_MS, wholeNanoseconds(sum.minMs!)) : null,
    maxMs: isMeasured ? Math.max(MIN_DURATION_MS, wholeNanoseconds(sum.maxMs!)) : null,
    buckets: toBuckets(sum.histogram),
    failures: sum.failures.filter((failure) => failure.calls > 0),
  };
}
