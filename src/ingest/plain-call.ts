/**
 * Adds plain calls to the delta of an earlier sample, without validating and allocating a sample for each. A plain call
 * has a duration, perhaps a time, and no error. Large batches consist mostly of plain calls.
 */
import type { Delta } from "../stats/delta.ts";
import { bucketIndex, MAX_DURATION_MS } from "../stats/histogram.ts";
import { wholeMicroseconds, wholeNanoseconds } from "./rounding.ts";
import { isTooOld } from "./sample-delta.ts";
import { unitOf } from "./time-unit.ts";

/** An unvalidated sample whose names are those of an earlier, valid sample. */
export interface Call {
  durationMs?: unknown;
  at?: unknown;
  error?: unknown;
}

/**
 * Adds a call to a delta of the same service, module and function. The result is the same as merging the delta with a delta
 * of the call.
 *
 * Returns false, and does not change the delta, if the call is not plain, not valid, or of another minute. The caller must
 * then read it like any other sample.
 */
export function addPlainCall(delta: Delta, call: Call, now: number): boolean {
  const { durationMs, error } = call;
  const at = call.at ?? now;
  if ((error !== undefined && error !== null) || "calls" in call) return false;
  if (typeof durationMs !== "number" || !(durationMs >= 0 && durationMs <= MAX_DURATION_MS)) return false;
  if (typeof at !== "number" || unitOf(at) !== "milliseconds") return false;
  const time = Math.min(Math.floor(at), now);
  const isInMinute = time >= delta.minute * 1000 && time < (delta.minute + 60) * 1000;
  if (!isInMinute || isTooOld(time, now)) return false;
  delta.calls++;
  delta.sumUs += wholeMicroseconds(durationMs);
  if (time < delta.firstSeen) delta.firstSeen = time;
  if (time > delta.lastSeen) delta.lastSeen = time;
  const measuredMs = wholeNanoseconds(durationMs);
  if (measuredMs > 0) {
    delta.buckets.push(bucketIndex(measuredMs), 1);
    if (delta.minMs === null || measuredMs < delta.minMs) delta.minMs = measuredMs;
    if (delta.maxMs === null || measuredMs > delta.maxMs) delta.maxMs = measuredMs;
  } else {
    delta.unmeasured++;
  }
  return true;
}
