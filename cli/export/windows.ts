/** Cuts a range of time into pieces that one answer of the server can hold, each in the finest step that is kept. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** All in epoch milliseconds, `step` in milliseconds. */
export interface Window {
  from: number;
  to: number;
  step: number;
}

/** The server keeps minutes for 48 hours and hours for 90 days, and answers with at most 1,500 points. */
export function windowsOf(from: number, to: number, now: number): Window[] {
  const minutesFrom = floor(now - 48 * HOUR, HOUR);
  const hoursFrom = floor(now - 90 * DAY, DAY);
  const windows: Window[] = [];
  for (let at = from; at < to; at = windows.at(-1)!.to) {
    // WARNING: a window ends at a whole hour or day. The server rounds other times, and windows would overlap.
    if (at < hoursFrom)
      windows.push({ from: at, to: Math.min(to, hoursFrom, floor(at, DAY) + 1_000 * DAY), step: DAY });
    else if (at < minutesFrom) {
      windows.push({ from: at, to: Math.min(to, minutesFrom, floor(at, DAY) + 60 * DAY), step: HOUR });
    } else windows.push({ from: at, to: Math.min(to, floor(at, HOUR) + DAY), step: MINUTE });
  }
  return windows;
}

/** A time such as 2026-11-28, 2026-11-28T12:00Z, or 7d for seven days ago. Undefined if it is none of these. */
export function parseTime(text: string, now: number): number | undefined {
  const [, amount, unit] = /^-?(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (amount !== undefined)
    return now - Number(amount) * { m: MINUTE, h: HOUR, d: DAY }[unit as "m" | "h" | "d"];
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function floor(time: number, step: number): number {
  return Math.floor(time / step) * step;
}
