/** Sums of one function's calls by minute or hour, and their sum over a window of time. Alerts are judged from these. */
import type { Counts } from "./attention-rates.ts";
import { bucketLowerBound, type Buckets } from "./histogram.ts";
import { HOUR, MINUTE } from "./tiers.ts";

/** The calls of one minute or one hour. */
export interface Cell extends Counts {
  /** Calls with a measured duration. */
  measured: number;
  sumUs: number;
  /** Measured calls that took longer than a limit, by the limit in milliseconds. Only limits that a rule asks for. */
  slow?: Record<string, number>;
}

/** What is known of one function's calls. */
export interface CallCells {
  /** Epoch milliseconds. */
  firstSeen: number;
  lastSeen: number;
  /** In order of time, about the last two days. A minute without calls has no entry. */
  minutes: readonly Cell[];
  /** The hours before the first whole hour of `minutes`, in order of time. An hour without calls has no entry. */
  hours: readonly Cell[];
}

export interface WindowSum {
  calls: number;
  errors: number;
  measured: number;
  sumUs: number;
  /** Calls longer than the limit that was asked for. */
  slow: number;
}

/**
 * The sum over the window that ends at `to`, both in epoch seconds. Of an hour without minutes, all calls count if the hour
 * begins in the window.
 *
 * @param limitMs counts the calls that took longer
 */
export function sumWindow(cells: CallCells, from: number, to: number, limitMs?: number): WindowSum {
  const sum = { calls: 0, errors: 0, measured: 0, sumUs: 0, slow: 0 };
  const key = String(limitMs);
  const add = (cell: Cell) => {
    sum.calls += cell.calls;
    sum.errors += cell.errors;
    sum.measured += cell.measured;
    sum.sumUs += cell.sumUs;
    sum.slow += cell.slow?.[key] ?? 0;
  };
  // From the end, since most windows are short.
  for (let i = cells.minutes.length - 1; i >= 0; i--) {
    const cell = cells.minutes[i]!;
    if (cell.start < from) return sum;
    if (cell.start + MINUTE <= to) add(cell);
  }
  for (let i = cells.hours.length - 1; i >= 0; i--) {
    const cell = cells.hours[i]!;
    if (cell.start < from) break;
    if (cell.start + HOUR <= to) add(cell);
  }
  return sum;
}

/**
 * How many calls of a histogram took longer than the limit. A call is taken to have lasted as long as the middle of its
 * bucket, so a duration is off by at most 1.1 %.
 */
export function slowerThan(limitMs: number, buckets: Buckets, maxMs: number | null): number {
  if (maxMs !== null && maxMs <= limitMs) return 0;
  let slow = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    if (bucketLowerBound(buckets[i]! + 0.5) > limitMs) slow += buckets[i + 1]!;
  }
  return slow;
}
