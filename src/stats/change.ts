/**
 * Decides whether the share of failed calls is clearly worse than at the same hour of earlier days. "Clearly" is `deviations`
 * above the median, where the deviation is the median absolute deviation of these hours, but no less than chance alone
 * makes of so few calls.
 */
import { isComparable } from "./attention-durations.ts";
import { deviationsAbove } from "./attention-rates.ts";
import { type CallCells, sumWindow } from "./call-cells.ts";
import { floorTo } from "./interval.ts";
import { HOUR } from "./tiers.ts";

export const changeLimits = {
  /** With fewer calls, an hour's share is not reliable. */
  minHourCalls: 20,
  /** With fewer such hours, there is no usual share. */
  minHours: 6,
  minErrors: 5,
  /** No share below this is reported. */
  minShare: 0.01,
} as const;

export interface ChangeOptions {
  deviations: number;
  /** The share is also at least this many times the median. */
  times: number;
  minCalls: number;
  windowSeconds: number;
}

export interface Change {
  isWorse: boolean;
  share: number;
  usualShare: number;
  calls: number;
  errors: number;
}

/** `now` is in epoch seconds. Returns the reason if too little is known. */
export function judgeErrorChange(cells: CallCells, options: ChangeOptions, now: number): Change | string {
  const { minHourCalls, minHours, minErrors, minShare } = changeLimits;
  const { calls, errors } = sumWindow(cells, now - options.windowSeconds, now);
  if (calls < options.minCalls) return `It had ${calls} calls in the window, and needs ${options.minCalls}.`;
  const shares = comparableShares(cells, now, minHourCalls);
  if (shares.length < minHours) {
    return `Only ${shares.length} hours of earlier days had enough calls to compare with, and ${minHours} are needed.`;
  }
  const usualShare = medianOf(shares);
  const spread = 1.4826 * medianOf(shares.map((share) => Math.abs(share - usualShare)));
  const share = errors / calls;
  // Of few failed calls, a normal deviation would promise too much.
  const overChance = deviationsAbove(calls, errors, Math.max(usualShare, 0.5 / calls), 1);
  const isWorse =
    errors >= minErrors &&
    share >= minShare &&
    share >= options.times * usualShare &&
    overChance > options.deviations &&
    share - usualShare > options.deviations * spread;
  return { isWorse, share, usualShare, calls, errors };
}

/** The shares of failed calls in this hour of day and its neighbours, on the days before. */
function comparableShares(cells: CallCells, now: number, minCalls: number): number[] {
  const hours = new Map<number, { calls: number; errors: number }>();
  const add = (start: number, calls: number, errors: number) => {
    const hour = floorTo(start, HOUR);
    if (!isComparable(hour, now)) return;
    const sum = hours.get(hour) ?? { calls: 0, errors: 0 };
    hours.set(hour, { calls: sum.calls + calls, errors: sum.errors + errors });
  };
  for (const { start, calls, errors } of [...cells.hours, ...cells.minutes]) add(start, calls, errors);
  return [...hours.values()].flatMap(({ calls, errors }) => (calls >= minCalls ? [errors / calls] : []));
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
