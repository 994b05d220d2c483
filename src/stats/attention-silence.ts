/**
 * Decides whether a function is silent, and since when. It is silent if it was not called for five minutes plus twice its
 * longest pause at this hour of day in the past 28 days.
 *
 * Pauses of the last 48 hours are known to the minute. For older hours only the number of calls is known. Their pauses are
 * estimated from how the function's calls were distributed in the last 48 hours.
 */
import type { Counts } from "./attention-rates.ts";
import { floorTo } from "./interval.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

export const silenceLimits = {
  timesLongestPause: 2,
  /** Clients report every 30 seconds, and a report may be late. */
  extraSeconds: 5 * MINUTE,
  /** With a shorter history, too little is known of a function's pauses. */
  minHistorySeconds: 2 * DAY,
  minPauses: 5,
  /** A longer silence is no longer new: the function was probably removed. */
  newForSeconds: DAY,
} as const;

export interface UsualPauses {
  /** The longest pause that touches each hour of day (UTC) or a neighbour of it, in seconds; 0 if there is none. */
  longest: number[];
  pauses: number;
}

/** Learns from minutes and older hours, both in order of time and without entries for times without calls. */
export function learnPauses(minutes: readonly Counts[], hours: readonly Counts[]): UsualPauses {
  const byHour = Array.from({ length: 24 }, () => 0);
  let pauses = 0;
  const add = (from: number, to: number, seconds: number) => {
    pauses++;
    const last = Math.min(Math.floor(to / HOUR), Math.floor(from / HOUR) + 23);
    for (let hour = Math.floor(from / HOUR); hour <= last; hour++) {
      byHour[hour % 24] = Math.max(byHour[hour % 24]!, seconds);
    }
  };
  for (let i = 1; i < minutes.length; i++) {
    const [from, to] = [minutes[i - 1]!.start, minutes[i]!.start];
    add(from, to, to - from);
  }
  const clumping = clumpingOf(minutes);
  const end = minutes[0] && floorTo(minutes[0].start, HOUR);
  for (const [i, { start, calls }] of hours.entries()) {
    const within = Math.min(HOUR, (clumping * HOUR) / calls);
    const next = hours[i + 1]?.start ?? end ?? start + HOUR;
    // The pause begins at an unknown minute of this hour and ends at an unknown minute of the next hour with calls.
    const between = next - start > HOUR ? next - start : 0;
    add(start, Math.max(start, next - 1), Math.max(within, between));
  }
  const longest = byHour.map((own, hour) =>
    Math.max(own, byHour[(hour + 23) % 24]!, byHour[(hour + 1) % 24]!),
  );
  return { longest, pauses };
}

/**
 * How many average intervals between calls the longest pause within an hour spans: 1 for calls at equal intervals, and
 * about 5 for a hundred random calls an hour.
 */
function clumpingOf(minutes: readonly Counts[]): number {
  let most = 1;
  let [hour, calls, longest, last] = [-1, 0, 0, -1];
  const close = () => {
    if (calls > 1) most = Math.max(most, (Math.max(longest, MINUTE) * calls) / HOUR);
  };
  for (const { start, calls: n } of minutes) {
    const own = Math.floor(start / HOUR);
    if (own !== hour) {
      close();
      [hour, calls, longest, last] = [own, 0, 0, start];
    }
    calls += n;
    longest = Math.max(longest, start - last);
    last = start;
  }
  close();
  return most;
}

export interface Silent {
  /** Epoch seconds of the last call. */
  since: number;
  isNew: boolean;
  usualGapSeconds: number;
}

/**
 * Says whether the function is silent now.
 *
 * @param firstSeen @param lastSeen @param now epoch milliseconds
 * @returns "unknown" if too little is known of its pauses
 */
export function judgeSilence(
  usual: UsualPauses,
  firstSeen: number,
  lastSeen: number,
  now: number,
): Silent | "unknown" | undefined {
  const quiet = (now - lastSeen) / 1000;
  if (quiet <= silenceLimits.extraSeconds) return undefined;
  const history = (lastSeen - firstSeen) / 1000;
  if (history < silenceLimits.minHistorySeconds || usual.pauses < silenceLimits.minPauses) return "unknown";
  const usualGapSeconds = usual.longest[Math.floor(now / 1000 / HOUR) % 24]!;
  if (quiet <= silenceLimits.timesLongestPause * usualGapSeconds + silenceLimits.extraSeconds)
    return undefined;
  const isNew = quiet <= silenceLimits.newForSeconds + silenceLimits.timesLongestPause * usualGapSeconds;
  return { since: Math.floor(lastSeen / 1000), isNew, usualGapSeconds };
}
