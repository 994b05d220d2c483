/** Finds out by how much a sender's clock is wrong, so that its samples are dated by the server's clock. */

/** Smaller differences are normal: a request takes seconds on a slow network. */
const TOLERATED_MS = 60_000;

/**
 * Returns the milliseconds to add to the times in a batch. It is 0 unless the sender says both when it made the batch, by the
 * clock that dated the samples, and how long ago that was, by a clock that nobody sets.
 *
 * WARNING: both are needed. Without the age, a batch that comes again after its key is forgotten would be dated anew
 * instead of being rejected as too old, and would count twice.
 */
export function clockErrorMs(sentAt: number | undefined, ageMs: number | undefined, now: number): number {
  if (!sentAt || ageMs === undefined) return 0;
  const errorMs = now - ageMs - sentAt;
  return Math.abs(errorMs) > TOLERATED_MS ? errorMs : 0;
}
