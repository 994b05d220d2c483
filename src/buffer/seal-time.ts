/** Decides when the buffer seals its pending deltas into flushes. */
import type { Configuration } from "../configuration.ts";
import type { BufferLimits } from "./limits.ts";
import type { PendingState } from "./pending.ts";

export interface SealConditions {
  /** What is pending. It is not empty, so it has an `oldestAt`. */
  pending: PendingState & { oldestAt: number };
  /** Unconfirmed flushes, without dead letters. */
  onTheWay: number;
  /** Unconfirmed deletions. Nothing is sealed until they are confirmed. */
  deletions: number;
  configuration: Configuration;
  limits: BufferLimits;
  now: number;
}

/**
 * When to seal, in epoch milliseconds. Null if a deletion or too many flushes are unconfirmed: the next confirmation then
 * sets the alarm again.
 */
export function sealTime({
  pending,
  onTheWay,
  deletions,
  configuration,
  limits,
  now,
}: SealConditions): number | null {
  // This holds without room for another flush too: sealing then merges the pending deltas in place.
  if (pending.freshBytes >= limits.flushedEarlyBytes) return now;
  if (deletions > 0) return null;
  // MAX_ITEMS waits for the flush before: if samples come faster than D1 takes flushes, flushes become larger, not more.
  if (pending.items >= configuration.maxItems && onTheWay === 0) return now;
  if (onTheWay >= limits.unconfirmedFlushes) return null;
  return pending.hasLeftover ? now : pending.oldestAt + configuration.maxWaitingMs;
}
