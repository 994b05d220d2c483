/** How finely time is kept: minutes for two days, hours for ninety days, days for ever. */
import { floorTo } from "./interval.ts";

export const MINUTE = 60;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The widths of rollups, in seconds. */
export const RESOLUTIONS = [MINUTE, HOUR, DAY] as const;

const MINUTES_KEPT = 48 * HOUR;
const HOURS_KEPT = 90 * DAY;

/** Where minutes begin, and where hours begin: what starts before is kept in wider rollups. Epoch seconds. */
export function tierStarts(nowMs: number): { minutes: number; hours: number } {
  const now = Math.floor(nowMs / 1000);
  return { minutes: floorTo(now - MINUTES_KEPT, HOUR), hours: floorTo(now - HOURS_KEPT, DAY) };
}

/** The width of the rollups that hold a moment, in seconds. */
export function resolutionAt(epochSeconds: number, nowMs: number): number {
  const { minutes, hours } = tierStarts(nowMs);
  return epochSeconds < hours ? DAY : epochSeconds < minutes ? HOUR : MINUTE;
}

// Moved. Goes when no other file imports it from here.
export { ceilTo, floorTo } from "./interval.ts";
