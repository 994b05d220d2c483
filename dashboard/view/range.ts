/** The range of time that is looked at, and the one before it, to compare with. */

export const PRESETS = ["15m", "1h", "24h", "7d", "90d"] as const;
export type Preset = (typeof PRESETS)[number];

/** The last so long, moving with time; or from one moment to another, in epoch milliseconds. */
export type Range = { last: Preset } | { from: number; to: number };

export const DEFAULT_RANGE: Range = { last: "1h" };

const LENGTHS: Record<Preset, number> = {
  "15m": 9e5,
  "1h": 3.6e6,
  "24h": 8.64e7,
  "7d": 6.048e8,
  "90d": 7.776e9,
};

/** How often a range that moves is read again: what changes slowly, and costs more to read, less often. */
const REFRESH_MS: Record<Preset, number> = { "15m": 5e3, "1h": 1e4, "24h": 3e4, "7d": 12e4, "90d": 6e5 };

export function lengthMs(range: Range): number {
  return "last" in range ? LENGTHS[range.last] : range.to - range.from;
}

export function boundsOf(range: Range, now: number): { from: number; to: number } {
  return "last" in range ? { from: now - LENGTHS[range.last], to: now } : range;
}

/** As the API takes it. */
export function toQuery(range: Range): { from: string; to?: string } {
  return "last" in range ? { from: `-${range.last}` } : { from: String(range.from), to: String(range.to) };
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

/** Null where it stands still, so that there is nothing to refresh. */
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

/** Whole minutes, at least one of them: nothing is kept more finely. */
export function minuteWise({ from, to }: { from: number; to: number }): { from: number; to: number } {
  const start = Math.floor(from / 60_000) * 60_000;
  return { from: start, to: Math.max(start + 60_000, Math.ceil(to / 60_000) * 60_000) };
}

export function isSame(a: Range, b: Range): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
