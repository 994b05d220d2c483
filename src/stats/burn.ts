/**
 * The burn rate of an objective: how fast it uses up the failures that it allows. At a burn rate of 1 the budget lasts exactly
 * as long as the objective's period.
 *
 * Source: The Site Reliability Workbook (2018), chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".
 */
import { type CallCells, sumWindow } from "./call-cells.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

/** The period over which an objective counts. */
export const PERIOD_SECONDS = 28 * DAY;

/** Says which share of calls must be good: those that succeed, or those that are fast enough. */
export interface Objective {
  /** Above 0 and below 1, such as 0.999. */
  target: number;
  /** If set, a call is good if it took no longer. Otherwise a call is good if it succeeded. */
  limitMs?: number | undefined;
}

/** The alert is on if the budget burns at least `factor` times too fast over both windows. In seconds. */
export interface BurnWindows {
  long: number;
  short: number;
  factor: number;
  severity: "page" | "ticket";
}

export const BURN_WINDOWS: readonly BurnWindows[] = [
  { long: HOUR, short: 5 * MINUTE, factor: 14.4, severity: "page" },
  { long: 6 * HOUR, short: 30 * MINUTE, factor: 6, severity: "page" },
  { long: DAY, short: 2 * HOUR, factor: 3, severity: "ticket" },
  { long: 3 * DAY, short: 6 * HOUR, factor: 1, severity: "ticket" },
];

export interface Share {
  bad: number;
  all: number;
}

/** Bad and all calls over a window that ends at `to`. */
export function badShare(cells: CallCells, { limitMs }: Objective, from: number, to: number): Share {
  const { calls, errors, measured, slow } = sumWindow(cells, from, to, limitMs);
  return limitMs === undefined ? { bad: errors, all: calls } : { bad: slow, all: measured };
}

/** Null without calls: then nothing burns, and nothing is known. */
export function burnRate({ bad, all }: Share, { target }: Objective): number | null {
  return all === 0 ? null : bad / all / (1 - target);
}

/** Whether so high a burn rate is possible: a target of 90 % never burns 14.4 times too fast. */
export function canBurn({ factor }: BurnWindows, { target }: Objective): boolean {
  return factor * (1 - target) < 1;
}

export interface Budget {
  /** The share that is left, from 1 down to 0, and below 0 if more calls were bad than allowed. Null without calls. */
  left: number | null;
  bad: number;
  all: number;
}

/** The budget that is left at `now` (epoch seconds), over the period before. */
export function budgetAt(cells: CallCells, objective: Objective, now: number): Budget {
  const share = badShare(cells, objective, now - PERIOD_SECONDS, now);
  const used = burnRate(share, objective);
  return { left: used === null ? null : 1 - used, ...share };
}
