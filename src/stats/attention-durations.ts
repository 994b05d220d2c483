/**
 * Says since when a function is slower than its own past: its p95 lies 4 deviations (on a logarithmic scale) and 1.5
 * times above the usual one of this hour of day, and above what it reached on two earlier days, in two quarters of an
 * hour in a row.
 *
 * The usual p95 is the median over this hour and its neighbours on the 14 days before; the deviation is their median
 * absolute deviation. Source: Rousseeuw, Croux, Alternatives to the median absolute deviation, JASA 88 (1993).
 */
import { floorTo, type Range } from "./interval.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

export const slownessLimits = {
  deviations: 4,
  times: 1.5,
  /** A difference below this is nothing to a person. */
  minMs: 1,
  /** Measured calls without which a stretch of time says nothing of a p95. */
  minMeasured: 50,
  /** Hours of the past that make a usual p95. */
  minPastHours: 3,
  /** No function is steadier than this, on a logarithmic scale: a bucket of the histogram spans 0.02. */
  minDeviation: 0.05,
  /** The deviation is learned from few days, so it is taken to be larger: by a fifth with 14 days. */
  caution: 3,
  learnedDays: 14,
  /** Quarters are those of the clock, so that they are the same for every reader. */
  quarterSeconds: 15 * MINUTE,
  /** How far back it is known since when a function is slower. */
  lookBackSeconds: DAY,
} as const;

/** The p95 of a stretch of time. */
export interface Percentile {
  /** Epoch seconds. */
  start: number;
  /** Calls with a measured duration. */
  measured: number;
  p95Ms: number;
}

export interface Slower {
  /** Epoch seconds. Null if it is slower in all of the quarters that are known. */
  since: number | null;
  p95Ms: number;
  usualP95Ms: number;
}

/** The start of the last whole quarter that has ended. */
export function lastQuarter(nowSeconds: number): number {
  const { quarterSeconds } = slownessLimits;
  return Math.floor(nowSeconds / quarterSeconds - 1) * quarterSeconds;
}

/** Where the hours lie that a quarter is compared with, on so many days before it. */
export function comparableHours(quarter: number, days: number): Range[] {
  const hour = floorTo(quarter, HOUR);
  return Array.from({ length: days }, (_, i) => {
    const start = hour - (i + 1) * DAY;
    return { from: start - HOUR, to: start + 2 * HOUR };
  });
}

/** Whether an hour of the past is compared with a quarter that starts at `quarter`. */
export function isComparable(hour: number, quarter: number): boolean {
  const hours = Math.floor(quarter / HOUR) - Math.floor(hour / HOUR);
  return hours >= 23 && hours <= slownessLimits.learnedDays * 24 + 1 && (hours + 1) % 24 <= 2;
}

/**
 * @param quarters latest first: the last one that has ended, and those before it without a gap, as far back as known.
 *   A quarter with too few calls has its place, with `measured` below the limit.
 * @param hours of the past, in any order. Those that are not comparable are ignored.
 * @returns "unknown" if the past is too short; undefined also if there are too few calls now
 */
export function judgeSlowness(
  quarters: readonly Percentile[],
  hours: readonly Percentile[],
): Slower | "unknown" | undefined {
  const [last, before] = quarters;
  if (!last || !before || last.measured < slownessLimits.minMeasured) return undefined;
  if (before.measured < slownessLimits.minMeasured) return undefined;
  const usual = usualAt(last.start, hours);
  if (!usual) return "unknown";
  if (!isSlow(last, usual) || !isSlow(before, usual)) return undefined;
  let since: number | null = before.start;
  for (const quarter of quarters.slice(2)) {
    if (quarter.measured < slownessLimits.minMeasured) continue;
    const usualThen = usualAt(quarter.start, hours) ?? usual;
    if (!isSlow(quarter, usualThen)) break;
    since = quarter.start;
  }
  const oldest = quarters.at(-1)!.start;
  if (quarters.length > 2 && since === oldest) since = null;
  return { since, p95Ms: last.p95Ms, usualP95Ms: Math.exp(usual.median) };
}

interface UsualDuration {
  /** Of the logarithm of the p95. */
  median: number;
  deviation: number;
  measured: number;
  /** The worst p95 that was reached on two days. */
  worstMs: number;
}

function usualAt(quarter: number, hours: readonly Percentile[]): UsualDuration | undefined {
  const past = hours.filter(
    ({ start, measured }) => measured >= slownessLimits.minMeasured && isComparable(start, quarter),
  );
  if (past.length < slownessLimits.minPastHours) return undefined;
  const logs = past.map(({ p95Ms }) => Math.log(p95Ms));
  const median = medianOf(logs);
  const days = new Set(past.map(({ start }) => dayBefore(quarter, start))).size;
  // 1.4826 makes the median absolute deviation of a normal distribution its standard deviation.
  const spread = 1.4826 * medianOf(logs.map((log) => Math.abs(log - median)));
  return {
    median,
    deviation: Math.max(slownessLimits.minDeviation, spread) * (1 + slownessLimits.caution / days),
    measured: medianOf(past.map(({ measured }) => measured)),
    worstMs: secondWorstDay(past, quarter),
  };
}

/**
 * The p95 of fewer calls varies more. The standard error of a quantile's logarithm is sqrt(q (1 - q) / n) / density; at
 * the p95 of a lognormal duration of sigma 1 that is 2.1 / sqrt(n).
 */
function isSlow({ p95Ms, measured }: Percentile, usual: UsualDuration): boolean {
  const fewer = Math.max(0, 1 / measured - 1 / usual.measured);
  const deviation = Math.sqrt(usual.deviation ** 2 + 2.1 ** 2 * fewer);
  const usualMs = Math.exp(usual.median);
  return (
    p95Ms >= slownessLimits.times * usualMs &&
    p95Ms - usualMs >= slownessLimits.minMs &&
    p95Ms > usual.worstMs &&
    Math.log(p95Ms) - usual.median > slownessLimits.deviations * deviation
  );
}

function dayBefore(quarter: number, hour: number): number {
  return Math.round((quarter - hour) / DAY);
}

function secondWorstDay(past: readonly Percentile[], quarter: number): number {
  const days = Map.groupBy(past, ({ start }) => dayBefore(quarter, start));
  const worst = Array.from(days.values(), (day) => Math.max(...day.map(({ p95Ms }) => p95Ms)));
  return worst.sort((a, b) => b - a)[1] ?? 0;
}

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
