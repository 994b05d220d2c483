/** The time range that the page shows: its presets, its name, its place in the address, and how to move it. */
import { boundsOf, MINUTE_MS } from "./bounds.ts";
import {
  type Moment,
  momentAt,
  type Range,
  readLength,
  readMoment,
  writeLength,
  writeMoment,
} from "./moment.ts";

export const PRESETS = ["15m", "1h", "24h", "7d", "90d"] as const;

const NOW: Moment = { ago: 0 };
export const DEFAULT_RANGE = last(readLength("1h")!);

export function last(ms: number): Range {
  return { from: { ago: ms }, to: NOW };
}

export function fixed(from: number, to: number): Range {
  return { from: { at: from }, to: { at: to } };
}

/** Whether the range ends now. */
export function isLive({ to }: Range): boolean {
  return "ago" in to && to.ago === 0;
}

export function isSame(a: Range, b: Range): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** How often a moving range is read again. Longer ranges change slowly and cost more to read. Null if fixed. */
export function refreshMs(range: Range, now: number): number | null {
  const { from, to } = range;
  if ("at" in from && "at" in to) return null;
  const length = lengthMs(range, now);
  if (length <= 15 * MINUTE_MS) return 5_000;
  if (length <= 60 * MINUTE_MS) return 10_000;
  if (length <= 24 * 60 * MINUTE_MS) return 30_000;
  return length <= 7 * 24 * 60 * MINUTE_MS ? 120_000 : 600_000;
}

export function lengthMs({ from, to }: Range, now: number): number {
  return momentAt(to, now) - momentAt(from, now);
}

/** "last 15 minutes", or undefined for a range that has no such name. */
export function rangeName(range: Range): string | undefined {
  return isLive(range) && "ago" in range.from ? `last ${lengthName(range.from.ago)}` : undefined;
}

/** "hour", "15 minutes", "7 days": the exact length in the largest whole unit. */
export function lengthName(ms: number): string {
  const [, number, unit] = /^(\d+)(\w)$/.exec(writeLength(ms))!;
  const name = { s: "second", m: "minute", h: "hour", d: "day" }[unit as "s" | "m" | "h" | "d"];
  return number === "1" ? name : `${number} ${name}s`;
}

/** The parameters of the address: `range=1h`, or `from` and `to`. */
export function writeRange({ from, to }: Range): Record<string, string> {
  if (isLive({ from, to }) && "ago" in from) return { range: writeLength(from.ago) };
  return { from: writeMoment(from), ...("ago" in to && to.ago === 0 ? {} : { to: writeMoment(to) }) };
}

export interface RangeRead {
  range: Range;
  /** What is wrong with the address, as a sentence. Then the range is the default one. */
  problem?: string;
}

export function readRange(params: URLSearchParams, now: number): RangeRead {
  const [range, from, to] = ["range", "from", "to"].map((name) => params.get(name));
  const refuse = (why: string): RangeRead => ({
    range: DEFAULT_RANGE,
    problem: `${why} This page shows the last hour instead.`,
  });
  if (from === null && to === null) {
    if (range === null || range === undefined) return { range: DEFAULT_RANGE };
    const length = readLength(range);
    return length
      ? { range: last(length) }
      : refuse(`The address has range=${range}, which is not a length such as 6h or 30d.`);
  }
  if (from === null || from === undefined) return refuse(`The address has to=${to} without from.`);
  const given = { from: readMoment(from), to: readMoment(to ?? "now") };
  for (const [name, text] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (!given[name]) return refuse(`The address has ${name}=${text}, which is ${whyNoTime(text ?? "")}.`);
  }
  const asked = { from: given.from!, to: given.to! };
  if (lengthMs(asked, now) > 0) return { range: asked };
  return refuse(`The address has from=${from} and to=${to ?? "now"}, but from must be before to.`);
}

function whyNoTime(text: string): string {
  if (/^\d{9,10}$/.test(text)) return "epoch seconds; use milliseconds";
  return "not a time such as -6h, 2026-11-24T09:30:00Z or epoch milliseconds";
}

/** The same length, earlier or later. It becomes live when it reaches now. */
export function shifted(range: Range, direction: -1 | 1, now: number): Range {
  const { from, to } = boundsOf(range, now);
  const length = to - from;
  const end = to + direction * length;
  return end >= now ? last(length) : fixed(Math.max(0, end - length), end);
}

/** Half as long or twice as long around its middle, in whole minutes. It becomes live when it reaches now. */
export function scaledBy(range: Range, factor: number, now: number): Range {
  const { from, to } = boundsOf(range, now);
  const length = Math.max(2 * MINUTE_MS, (to - from) * factor);
  const end = (from + to) / 2 + length / 2;
  return end >= now ? last(Math.round(length / MINUTE_MS) * MINUTE_MS) : zoomed(end - length, end);
}

/** The part of a chart that was selected, in whole minutes. */
export function zoomed(from: number, to: number): Range {
  const start = Math.floor(Math.max(0, from) / MINUTE_MS) * MINUTE_MS;
  return fixed(start, Math.max(start + MINUTE_MS, Math.ceil(to / MINUTE_MS) * MINUTE_MS));
}
