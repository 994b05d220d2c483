/** Turns a range into the exact bounds to read, and finds the previous range of the same length. */
import { momentAt, type Range } from "./moment.ts";

/** From `from` on, before `to`: epoch milliseconds. */
export interface Bounds {
  from: number;
  to: number;
}

export const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The API keeps minutes for 48 hours, hours for 90 days, then days. Answers say which bounds they cover. */
const MINUTES_KEPT_MS = 48 * HOUR_MS;
const HOURS_KEPT_MS = 90 * DAY_MS;

/** The steps that the API chooses from for its 300 points, up to a day. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE_MS);
const POINTS = 300;

/**
 * The bounds to ask for, aligned to what the server keeps at that age. A range that ends now reaches to the end of the
 * current step, so that it and the previous range have the same length.
 */
export function boundsOf({ from, to }: Range, now: number): Bounds {
  if ("ago" in from && "ago" in to && to.ago === 0) return lastBounds(from.ago, now);
  const [start, end] = [momentAt(from, now), momentAt(to, now)];
  const width = widthAt(start, now);
  const first = floorTo(start, width);
  return { from: first, to: Math.max(first + width, ceilTo(end, width)) };
}

/**
 * The bounds of the same length just before. Undefined if the server keeps that time too coarsely for a range of this
 * length, for example days where these are hours.
 */
export function previousBounds({ from, to }: Bounds, now: number): Bounds | undefined {
  const start = from - (to - from);
  const width = widthAt(Math.max(0, start), now);
  return start >= 0 && start % width === 0 && from % width === 0 ? { from: start, to: from } : undefined;
}

/** How finely the server keeps this time, in milliseconds. */
export function widthAt(at: number, now: number): number {
  if (at < floorTo(now - HOURS_KEPT_MS, DAY_MS)) return DAY_MS;
  return at < floorTo(now - MINUTES_KEPT_MS, HOUR_MS) ? HOUR_MS : MINUTE_MS;
}

/** "minute", "hour" or "day": how finely the server keeps the beginning of these bounds. */
export function widthName({ from }: Bounds, now: number): string {
  const width = widthAt(from, now);
  return width === DAY_MS ? "day" : width === HOUR_MS ? "hour" : "minute";
}

/** The part of the bounds that has passed and can have data, in milliseconds; at least one minute. */
export function elapsedMs({ from, to }: Bounds, now: number, firstData = 0): number {
  return Math.max(MINUTE_MS, Math.min(to, now) - Math.max(from, firstData));
}

export function sameBounds(a: Bounds | undefined, b: Bounds | undefined): boolean {
  return a?.from === b?.from && a?.to === b?.to;
}

/** The bounds that an answer covers. */
export function coveredBy(answer: {
  from?: string | null | undefined;
  to?: string | null | undefined;
}): Bounds | undefined {
  if (!answer.from || !answer.to) return undefined;
  return { from: Date.parse(answer.from), to: Date.parse(answer.to) };
}

/** Aligned so that the previous range can be read as well, and that the steps of the chart fit. */
function lastBounds(lengthMs: number, now: number): Bounds {
  const width = widthAt(Math.max(0, now - 2 * lengthMs), now);
  const step = stepFor(lengthMs, width);
  const end = ceilTo(now, step);
  return { from: Math.max(0, end - Math.max(step, ceilTo(lengthMs, step))), to: end };
}

/** The step of a chart of this length. `width` is how finely the server keeps that time, in milliseconds. */
export function stepFor(lengthMs: number, width: number): number {
  return STEPS_MS.find((ms) => ms >= width && ms * POINTS >= lengthMs) ?? DAY_MS;
}

export function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

export function ceilTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
