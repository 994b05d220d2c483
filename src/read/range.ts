/**
 * Resolves the range and the step that a reader asks for. The store keeps minutes for 48 hours, hours for 90 days, then
 * days. Each end of a range is therefore rounded to a whole minute, hour or day, depending on its age. Adjacent ranges share
 * no call and miss none.
 */
import { InvalidParameterError } from "../errors.ts";
import { ceilTo, floorTo, type Range } from "../stats/interval.ts";
import type { CoarseTimes } from "../store/read-rollups.ts";
import { DAY, HOUR, MINUTE, resolutionAt, tierStarts } from "../stats/tiers.ts";

/** What a reader asks for, in epoch milliseconds. */
export interface AskedRange {
  from?: number | undefined;
  to?: number | undefined;
}

const DEFAULT_MS = DAY * 1000;
/** A range may span everything that was ever kept. Limits on points and rows bound the cost of a read. */
const MAX_YEARS = 100;
export const MAX_RANGE_MS = MAX_YEARS * 365.25 * DAY * 1000;
const NICE_STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR));

/** Undefined if no range is asked for. @throws {InvalidParameterError} */
export function optionalRange(asked: AskedRange, now: number): Range | undefined {
  if (asked.from === undefined && asked.to === undefined) return undefined;
  if (asked.from === undefined) throw new InvalidParameterError("from", undefined, "given if `to` is given");
  return resolveRange(asked, now);
}

/** The last 24 hours if nothing else is asked for. @throws {InvalidParameterError} */
export function resolveRange({ to, from }: AskedRange, now: number): Range {
  const end = to ?? now;
  const start = from ?? Math.max(0, end - DEFAULT_MS);
  if (start >= end) {
    const allowed = `before to (${new Date(end).toISOString()})`;
    throw new InvalidParameterError("from", new Date(start).toISOString(), allowed);
  }
  if (end - start > MAX_RANGE_MS) {
    const allowed = `at most ${MAX_YEARS} years before to`;
    throw new InvalidParameterError("from", new Date(start).toISOString(), allowed);
  }
  const [first, last] = [Math.floor(start / 1000), Math.ceil(end / 1000)];
  return { from: floorTo(first, resolutionAt(first, now)), to: ceilTo(last, resolutionAt(last, now)) };
}

/**
 * How many seconds of the range can hold calls of a series: those from the minute of its first call until now. At least 1,
 * so that a rate can be computed. `firstSeen` and `now` are epoch milliseconds.
 */
export function secondsWithData(range: Range, firstSeen: number, now: number): number {
  const from = Math.max(range.from, floorTo(firstSeen / 1000, MINUTE));
  return Math.max(1, Math.min(range.to, now / 1000) - from);
}

/**
 * Up to which time hour rollups may be read instead of minutes, and day rollups instead of hours, in epoch seconds: in the
 * whole range if each step consists of whole hours or days, and otherwise where nothing finer is kept.
 */
export function coarseUntil(range: Range, step: number, now: number): CoarseTimes {
  const kept = tierStarts(now);
  const limit = (resolution: number, keptFrom: number) => {
    const isWhole = step === Infinity || step % resolution === 0;
    return floorTo(isWhole ? range.to : Math.min(range.to, keptFrom), resolution);
  };
  return { hours: limit(HOUR, kept.minutes), days: limit(DAY, kept.hours) };
}

/**
 * How many rollups one function has in the range, at most.
 *
 * @param coarse until when hours and days are read
 * @param seen when the function was called first and last; the range if left out. Epoch seconds
 */
export function maxRollupsIn(range: Range, coarse: CoarseTimes, seen: Range = range): number {
  const count = (from: number, to: number, resolution: number) =>
    Math.ceil(Math.max(0, Math.min(to, seen.to) - Math.max(from, seen.from)) / resolution);
  const hours = ceilTo(range.from, HOUR);
  const hoursEnd = Math.max(hours, coarse.hours);
  const days = ceilTo(range.from, DAY);
  const daysEnd = Math.max(days, coarse.days);
  return (
    count(range.from, Math.min(hours, range.to), MINUTE) +
    count(hours, Math.min(days, hoursEnd), HOUR) +
    count(days, daysEnd, DAY) +
    count(daysEnd, hoursEnd, HOUR) +
    count(hoursEnd, range.to, MINUTE)
  );
}

/** The finest step, in seconds, that gives the range at most `maxPoints` points. */
export function chooseStep(range: Range, maxPoints: number, now: number): number {
  const resolution = resolutionAt(range.from, now);
  const fits = (step: number) => step >= resolution && pointsIn(range, step) <= maxPoints;
  const nice = NICE_STEPS.find(fits);
  if (nice !== undefined) return nice;
  let days = Math.max(1, Math.ceil((range.to - range.from) / DAY / maxPoints));
  while (!fits(days * DAY)) days++;
  return days * DAY;
}

/**
 * The step that is asked for, in seconds, or the next longer one that the store's resolution allows.
 *
 * @throws {InvalidParameterError} if the range has more points than `maxPoints`
 */
export function applyStep(range: Range, asked: number, maxPoints: number, now: number): number {
  const step = ceilTo(asked, resolutionAt(range.from, now));
  if (pointsIn(range, step) <= maxPoints) return step;
  const least = ceilTo((range.to - range.from) / (maxPoints - 1), MINUTE);
  const allowed = `at least ${least} seconds over this range, because a series has at most ${maxPoints} points`;
  throw new InvalidParameterError("step", asked, allowed);
}

/**
 * The starts of the range's steps, in epoch seconds. Steps start at multiples of their length, so the first may start
 * before the range. It counts only what lies in the range.
 */
export function stepStarts(range: Range, step: number): number[] {
  const first = floorTo(range.from, step);
  return Array.from({ length: pointsIn(range, step) }, (_, i) => first + i * step);
}

function pointsIn(range: Range, step: number): number {
  return (ceilTo(range.to, step) - floorTo(range.from, step)) / step;
}
