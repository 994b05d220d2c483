/** Plans what to read for a selector: the range of time, how fine, and the moments at which samples are needed. */
import type { Hints } from "../../promql/source.ts";
import { ceilTo, floorTo, type Range } from "../../stats/interval.ts";
import { DAY, HOUR, MINUTE, resolutionAt } from "../../stats/tiers.ts";
import { tooManySamples } from "./limits.ts";

export interface Plan {
  /** Epoch seconds. */
  range: Range;
  /** The resolution that suffices, in seconds. */
  step: number;
  /**
   * The times of the samples, in ascending epoch milliseconds. Undefined if the function takes exact differences only: then
   * no samples are needed, nor what happened before the range.
   */
  samplesAt: number[] | undefined;
}

/** Functions of the engine that take the difference of two exact values. */
const DIFFERENCES: ReadonlySet<string> = new Set(["rate", "increase", "delta", "irate"]);
const MINUTE_MS = MINUTE * 1000;
/** A range query has at most so many steps, and one more. */
const MAX_STEPS = 11_001;

export function planReading(
  fromMs: number,
  toMs: number,
  { function: name, rangeMs, stepMs, inSubquery }: Hints,
  nowMs: number,
  maxSamples: number,
): Plan {
  const range = rangeOf(fromMs, toMs, nowMs);
  if (rangeMs > 0 && DIFFERENCES.has(name)) {
    return {
      range,
      step: inSubquery ? MINUTE : stepOf(range, fromMs, toMs, rangeMs, stepMs),
      samplesAt: undefined,
    };
  }
  return {
    range,
    step: MINUTE,
    samplesAt:
      rangeMs > 0 || inSubquery ? everyMinute(fromMs, toMs, maxSamples) : atSteps(fromMs, toMs, stepMs),
  };
}

/** Whole minutes, hours or days, as the store keeps them. At least one, and none in the future. */
function rangeOf(fromMs: number, toMs: number, nowMs: number): Range {
  const end = ceilTo(nowMs / 1000, MINUTE);
  const first = Math.min(Math.max(0, Math.floor(fromMs / 1000)), end - MINUTE);
  const last = Math.min(Math.max(first + 1, Math.ceil(toMs / 1000)), end);
  return { from: floorTo(first, resolutionAt(first, nowMs)), to: ceilTo(last, resolutionAt(last, nowMs)) };
}

/** The longest spans of which each moment of a difference is an end. */
function stepOf(range: Range, fromMs: number, toMs: number, rangeMs: number, stepMs: number): number {
  // One difference: whatever is between its moments may be coarse. The spans that contain a moment may not.
  if (toMs - fromMs === rangeMs) {
    const isInside = (timeMs: number, end: number) => timeMs !== end * 1000 && end % HOUR === 0;
    return isInside(fromMs, range.from) || isInside(toMs, range.to) ? MINUTE : Infinity;
  }
  const isWhole = (seconds: number) => [toMs, rangeMs, stepMs].every((ms) => ms % (seconds * 1000) === 0);
  return [DAY, HOUR].find(isWhole) ?? MINUTE;
}

/** A raw counter is read at the last end of a minute before each evaluation. */
function atSteps(fromMs: number, toMs: number, stepMs: number): number[] {
  const times = new Set<number>();
  for (let step = 0; step < MAX_STEPS; step++) {
    const timeMs = toMs - step * stepMs;
    if (timeMs < fromMs) break;
    times.add(floorTo(timeMs, MINUTE_MS));
    if (stepMs === 0) break;
  }
  return [...times].reverse();
}

function everyMinute(fromMs: number, toMs: number, maxSamples: number): number[] {
  const first = ceilTo(Math.max(0, fromMs), MINUTE_MS);
  const count = Math.max(0, Math.floor((toMs - first) / MINUTE_MS) + 1);
  if (count > maxSamples) throw tooManySamples();
  return Array.from({ length: count }, (_, i) => first + i * MINUTE_MS);
}
