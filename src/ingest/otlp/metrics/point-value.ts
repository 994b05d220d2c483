/** Reads the value of a data point, and says what is wrong with one that cannot be counted. */
import { MAX_DURATION_MS } from "../../../stats/histogram.ts";
import { countOf, type PointValue, type SourceHistogram } from "../../../stats/point.ts";
import { estimatedSumUs } from "../../../stats/source-buckets.ts";
import { wholeMicroseconds, wholeNanoseconds } from "../../rounding.ts";
import { otlpLimits } from "../limits.ts";
import type { Point } from "../wire/metric-messages.ts";

const MIN_SCALE = -10;
const MAX_SCALE = 20;
const MAX_OFFSET = 2 ** 31;

type Read = { value: PointValue } | { reason: string };

export function numberIn({ asInt, asDouble }: Point, name: string): Read {
  const value = asInt ?? asDouble;
  if (isCount(value)) return { value };
  return { reason: `A point of ${name} is not a whole number from 0 to ${otlpLimits.callsPerPoint}.` };
}

/** @param unitMs milliseconds in one unit of the metric */
export function histogramIn(point: Point, isExponential: boolean, unitMs: number, name: string): Read {
  const histogram = isExponential ? exponential(point, unitMs) : explicit(point, unitMs);
  const problem = typeof histogram === "string" ? histogram : problemIn(point, histogram, unitMs);
  if (typeof histogram === "string" || problem !== undefined)
    return { reason: `A point of ${name} ${problem}.` };
  const { min, max, sum } = point;
  histogram.minMs = boundMs(min, unitMs);
  histogram.maxMs = boundMs(max, unitMs);
  if (histogram.minMs !== null && histogram.maxMs !== null && histogram.minMs > histogram.maxMs) {
    histogram.minMs = histogram.maxMs = null;
  }
  histogram.sumUs = sum === undefined ? estimatedSumUs(histogram) : wholeMicroseconds(sum * unitMs);
  return { value: histogram };
}

function explicit(
  { bucketCounts = [], explicitBounds = [], count = 0 }: Point,
  unitMs: number,
): SourceHistogram | string {
  // A histogram without buckets tells only how many there are, and their sum.
  const counts = bucketCounts.length === 0 && explicitBounds.length === 0 ? [count] : bucketCounts;
  if (counts.length !== explicitBounds.length + 1) return "has not one more bucketCounts than explicitBounds";
  const isAscending = explicitBounds.every((bound, i) => i === 0 || bound > explicitBounds[i - 1]!);
  if (!isAscending || !explicitBounds.every(Number.isFinite)) return "has explicitBounds that do not ascend";
  return { ...EMPTY, layout: { boundsMs: explicitBounds.map((bound) => bound * unitMs) }, counts };
}

function exponential(point: Point, unitMs: number): SourceHistogram | string {
  const { scale = 0, zeroCount = 0, positive, negative } = point;
  const { offset = 0, bucketCounts = [] } = positive ?? {};
  if (negative?.bucketCounts?.some((count) => count !== 0)) return "has negative durations";
  const isRead = Number.isInteger(scale) && scale >= MIN_SCALE && scale <= MAX_SCALE;
  if (!isRead) return `has a scale that is not from ${MIN_SCALE} to ${MAX_SCALE}`;
  if (!Number.isInteger(offset) || Math.abs(offset) > MAX_OFFSET)
    return "has an offset that is no whole number of 32 bits";
  return { ...EMPTY, layout: { scale, offset, unitMs }, counts: bucketCounts, zero: zeroCount };
}

const EMPTY = { zero: 0, sumUs: 0, minMs: null, maxMs: null };

function problemIn(
  { count = 0, sum }: Point,
  { counts, zero, ...histogram }: SourceHistogram,
  unitMs: number,
): string | undefined {
  if (![count, zero, ...counts].every(isCount)) {
    return `has counts that are not whole numbers from 0 to ${otlpLimits.callsPerPoint}`;
  }
  const counted = countOf({ counts, zero, ...histogram });
  if (counted !== count) return `has ${counted} durations in its buckets, but its count is ${count}`;
  const isSum = sum === undefined || (sum >= 0 && sum * unitMs <= otlpLimits.sumMsPerPoint);
  return isSum ? undefined : `has a sum that is not from 0 to ${otlpLimits.sumMsPerPoint} ms`;
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value <= otlpLimits.callsPerPoint;
}

/** Null if the sender does not tell, or if it is no duration. */
function boundMs(value: number | undefined, unitMs: number): number | null {
  if (value === undefined || !(value > 0) || !Number.isFinite(value)) return null;
  const ms = wholeNanoseconds(value * unitMs);
  return ms > 0 ? Math.min(ms, MAX_DURATION_MS) : null;
}
