/** Decides when the buffer seals its pending deltas into flushes. */
import type { Configuration } from "../configuration.ts";
import type { BufferLimits } from "./limits.ts";
import type { PendingState } from "./pending.ts";

export interface SealConditions {
  /** The pending deltas. There is at least one, so `oldestAt` is not null. */
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
  // Also if no further flush may be unconfirmed: sealing then merges the pending deltas in place.
  if (pending.freshBytes >= limits.flushedEarlyBytes) return now;
  if (deletions > 0) return null;
  // MAX_ITEMS applies only if no flush is unconfirmed. If samples arrive faster than D1 applies flushes, flushes become larger
  // instead of more numerous.
  if (pending.items >= configuration.maxItems && onTheWay === 0) return now;
  if (onTheWay >= limits.unconfirmedFlushes) return null;
  return pending.hasLeftover ? now : pending.oldestAt + configuration.maxWaitingMs;
}
