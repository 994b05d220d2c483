/**
 * Recognises an outage within a minute: nearly all calls of a function fail, though most of them usually succeed. It is
 * sooner than `ErrorWatch`, which waits for a second minute.
 */
import { lowestPlausibleShare } from "./attention-rates.ts";
import { type CallCells, sumWindow } from "./call-cells.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

export const outageLimits = {
  /** At least this share of all calls fails, as far as can be told from so few calls. */
  minShare: 0.5,
  /** Standard deviations of caution. */
  deviations: 3,
  /** Windows in seconds, the shortest first. A function that is called rarely needs a longer one. */
  windows: [MINUTE, 2 * MINUTE, 5 * MINUTE],
  minErrors: 5,
  /** Many times the usual share, or no outage: a function that usually fails is no news. */
  overUsual: 1.5,
  /** The usual share is that of the day until this long ago. */
  usualEndsBefore: HOUR,
} as const;

export interface Outage {
  calls: number;
  errors: number;
}

/** Judges the last minutes before `now` (epoch seconds, a whole minute). */
export function findOutage(cells: CallCells, now: number): Outage | undefined {
  const { minShare, deviations, windows, minErrors, overUsual, usualEndsBefore } = outageLimits;
  for (const window of windows) {
    const { calls, errors } = sumWindow(cells, now - window, now);
    if (errors < minErrors) continue;
    const lowest = lowestPlausibleShare(calls, errors, deviations);
    if (lowest <= minShare) continue;
    const usual = sumWindow(cells, now - usualEndsBefore - DAY, now - usualEndsBefore);
    const usualShare = usual.calls === 0 ? 0 : usual.errors / usual.calls;
    if (lowest > overUsual * usualShare) return { calls, errors };
  }
  return undefined;
}
