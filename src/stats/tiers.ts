/** The resolutions in which time is kept: minutes for 48 hours, hours for 90 days, days for ever. */
import { floorTo } from "./interval.ts";

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The resolutions of rollups, in seconds. */
export const RESOLUTIONS = [MINUTE, HOUR, DAY] as const;

const MINUTES_KEPT = 48 * HOUR;
const HOURS_KEPT = 90 * DAY;

/** The times, in epoch seconds, from which on minutes and hours are kept. Older rollups are coarser. */
export function tierStarts(nowMs: number): { minutes: number; hours: number } {
  const now = Math.floor(nowMs / 1000);
  return { minutes: floorTo(now - MINUTES_KEPT, HOUR), hours: floorTo(now - HOURS_KEPT, DAY) };
}

/** The resolution, in seconds, of the rollups at a time. */
export function resolutionAt(epochSeconds: number, nowMs: number): number {
  const { minutes, hours } = tierStarts(nowMs);
  return epochSeconds < hours ? DAY : epochSeconds < minutes ? HOUR : MINUTE;
}
