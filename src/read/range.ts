/**
 * A range of time, cut where the store cuts time: at whole minutes, further back at whole hours and at whole days.
 * Whatever starts in it counts, so ranges that meet share nothing and leave nothing out.
 */
import { invalidParameter } from "../http/error-response.ts";
import { limits } from "../limits.ts";
import { ceilTo, DAY, floorTo, HOUR, MINUTE, tierStarts, resolutionAt } from "../stats/tiers.ts";

/** From `from` on, before `to`: epoch seconds. */
export interface Range {
  from: number;
  to: number;
}

const DEFAULT_MS = DAY * 1000;
const NICE_STEPS = [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE).concat([1, 2, 3, 6, 12].map((n) => n * HOUR));

/** Undefined where no range is asked for. Times are epoch milliseconds. */
export function rangeAskedFor(asked: { from?: number | undefined; to?: number | undefined }, now: number) {
  if (asked.from === undefined && asked.to === undefined) return undefined;
  if (asked.from === undefined) throw invalidParameter("from", undefined, "given where to is");
  return rangeOf(asked, now);
}

/** The last 24 hours, as far as nothing else is asked for. */
export function rangeOf(
  { to, from }: { from?: number | undefined; to?: number | undefined },
  now: number,
): Range {
  const end = to ?? now;
  const start = from ?? Math.max(0, end - DEFAULT_MS);
  if (start >= end) {
    throw invalidParameter(
      "from",
      new Date(start).toISOString(),
      `before to (${new Date(end).toISOString()})`,
    );
  }
  if (end - start > limits.rangeMs) {
    const years = Math.round(limits.rangeMs / 1000 / DAY / 365.25);
    throw invalidParameter("from", new Date(start).toISOString(), `at most ${years} years before to`);
  }
  const [first, last] = [Math.floor(start / 1000), Math.ceil(end / 1000)];
  return { from: floorTo(first, resolutionAt(first, now)), to: ceilTo(last, resolutionAt(last, now)) };
}

export function isWithin(range: Range, epochSeconds: number): boolean {
  return epochSeconds >= range.from && epochSeconds < range.to;
}

/** Seconds of the range that have passed; at least one, so that there is a rate. */
export function secondsOf(range: Range, now: number): number {
  return Math.max(1, Math.min(range.to, now / 1000) - range.from);
}

/** How many rollups one function may have in the range. */
export function rollupsIn(range: Range, now: number): number {
  const { minutes, hours } = tierStarts(now);
  const length = (from: number, to: number) =>
    Math.max(0, Math.min(to, range.to, now / 1000 + DAY) - Math.max(from, range.from));
  return Math.ceil(
    length(minutes, Infinity) / MINUTE + length(hours, minutes) / HOUR + length(0, hours) / DAY + 1,
  );
}

/** A range in steps of equal length, in seconds, which cover it: the first may begin before it, the last end after. */
export interface Steps {
  covered: Range;
  step: number;
}

/** As many steps as asked for at most. */
export function chooseStep(range: Range, maxPoints: number, now: number): Steps {
  const days = Math.ceil((range.to - range.from) / DAY / maxPoints) * DAY;
  for (const step of NICE_STEPS) {
    if (step < resolutionAt(range.from, now)) continue;
    const widened = widenTo(range, step, now);
    if (points(widened) <= maxPoints) return widened;
  }
  const widened = widenTo(range, days, now);
  return points(widened) <= maxPoints ? widened : widenTo(range, days + DAY, now);
}

/**
 * Steps of the length given, or longer ones where time is not kept as finely.
 *
 * @throws {ErrorResponse} 400 for more points than an answer may have
 */
export function applyStep(range: Range, step: number, now: number): Steps {
  const widened = widenTo(range, step, now);
  if (points(widened) <= limits.seriesPoints) return widened;
  const least = ceilTo((range.to - range.from) / (limits.seriesPoints - 1), MINUTE);
  throw invalidParameter(
    "step",
    step,
    `at least ${least} seconds over this range, since a series has at most ${limits.seriesPoints} points`,
  );
}

/** Widening may reach further back, to where time is kept less finely: then it starts over with what is kept there. */
function widenTo(range: Range, atLeast: number, now: number): Steps {
  const step = ceilTo(atLeast, resolutionAt(range.from, now));
  const widened = { from: floorTo(range.from, step), to: ceilTo(range.to, step) };
  return step % resolutionAt(widened.from, now) === 0
    ? { covered: widened, step }
    : widenTo(widened, ceilTo(step, resolutionAt(widened.from, now)), now);
}

function points({ covered, step }: Steps): number {
  return (covered.to - covered.from) / step;
}

/** Which of the steps a moment is in. */
export function stepOf({ covered, step }: Steps, epochSeconds: number): number {
  return Math.floor((epochSeconds - covered.from) / step);
}
