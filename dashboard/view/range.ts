/** The time range that the page shows, and the previous range of the same length. */

import { span } from "../format.ts";

export const PRESETS = ["15m", "1h", "24h", "7d", "90d"] as const;
export type Preset = (typeof PRESETS)[number];

/** Either a range that ends now and moves with time, or a fixed one in epoch milliseconds. */
export type Range = { last: Preset } | { from: number; to: number };

export const DEFAULT_RANGE: Range = { last: "1h" };

const LENGTHS: Record<Preset, number> = {
  "15m": 9e5,
  "1h": 3.6e6,
  "24h": 8.64e7,
  "7d": 6.048e8,
  "90d": 7.776e9,
};

/** How often a moving range is read again. Longer ranges change slowly and cost more to read. */
const REFRESH_MS: Record<Preset, number> = { "15m": 5e3, "1h": 1e4, "24h": 3e4, "7d": 12e4, "90d": 6e5 };

export function lengthMs(range: Range): number {
  return "last" in range ? LENGTHS[range.last] : range.to - range.from;
}

export function boundsOf(range: Range, now: number): { from: number; to: number } {
  return "last" in range ? { from: now - LENGTHS[range.last], to: now } : range;
}

/** The range as query parameters of the API. */
export function toQuery(range: Range): { from: string; to?: string } {
  return "last" in range ? { from: `-${range.last}` } : { from: String(range.from), to: String(range.to) };
}

const PREVIOUS: Record<Preset, string> = {
  "15m": "previous 15 minutes",
  "1h": "previous hour",
  "24h": "previous 24 hours",
  "7d": "previous 7 days",
  "90d": "previous 90 days",
};

/** "previous hour": names the range that `previousQuery` asks for. */
export function previousName(range: Range): string {
  return "last" in range ? PREVIOUS[range.last] : `previous ${span(lengthMs(range))}`;
}

/** The range of the same length just before. */
export function previousQuery(range: Range): { from: string; to: string } {
  if ("last" in range) {
    const [, n, unit] = /^(\d+)(\w)$/.exec(range.last)!;
    return { from: `-${2 * Number(n)}${unit}`, to: `-${range.last}` };
  }
  const length = lengthMs(range);
  return { from: String(Math.max(0, range.from - length)), to: String(range.from) };
}

/** Null for a fixed range. */
export function refreshMs(range: Range): number | null {
  return "last" in range ? REFRESH_MS[range.last] : null;
}

/** The same length, earlier or later; never past now. */
export function shifted(range: Range, direction: -1 | 1, now: number): Range {
  const { from, to } = boundsOf(range, now);
  const length = to - from;
  const end = Math.min(now, to + direction * length);
  return { from: Math.max(0, end - length), to: end };
}

/** Half as long or twice as long, around its middle; never past now. */
export function scaledBy(range: Range, factor: number, now: number): Range {
  const { from, to } = boundsOf(range, now);
  const length = Math.max(2 * 60_000, (to - from) * factor);
  const end = Math.min(now, (from + to) / 2 + length / 2);
  return minuteWise({ from: Math.max(0, end - length), to: end });
}

/** Rounds outward to whole minutes, because the server keeps nothing finer. */
export function minuteWise({ from, to }: { from: number; to: number }): { from: number; to: number } {
  const start = Math.floor(from / 60_000) * 60_000;
  return { from: start, to: Math.max(start + 60_000, Math.ceil(to / 60_000) * 60_000) };
}

export function isSame(a: Range, b: Range): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
