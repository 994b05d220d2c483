/** The resolutions in which time is kept: minutes for 48 hours, hours for 90 days, days for ever. */
import { floorTo } from "./interval.ts";

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const MINUTES_KEPT = 48 * HOUR;
const HOURS_KEPT = 90 * DAY;

/** The times, in epoch seconds, from which on minutes and hours are kept. Older rollups are coarser. */
export function tierStarts(nowMs: number): { minutes: number; hours: number } {
  const now = Math.floor(nowMs / 1000);
  return { minutes: floorTo(now - MINUTES_KEPT, HOUR), hours: floorTo(now - HOURS_KEPT, DAY) };
}

/** How long a rollup stays after it is no longer kept, because a read may have begun earlier, or have a slower clock. */
const GRACE_MS = HOUR * 1000;
/** How long hours and days stay open after their end. Most calls have arrived by then, so that few are added twice. */
const OPEN_AFTER_END_MS = 10 * MINUTE * 1000;

/** Before which minutes and hours are deleted, in epoch seconds. */
export function expiredBefore(nowMs: number): { minutes: number; hours: number } {
  return tierStarts(nowMs - GRACE_MS);
}

/** Before which hours may be closed, in epoch seconds. */
export function hoursEndedBefore(nowMs: number): number {
  return floorTo((nowMs - OPEN_AFTER_END_MS) / 1000, HOUR);
}

/** The resolution in which a moment is kept, in seconds. */
export function resolutionAt(epochSeconds: number, nowMs: number): number {
  const { minutes, hours } = tierStarts(nowMs);
  return epochSeconds < hours ? DAY : epochSeconds < minutes ? HOUR : MINUTE;
}
