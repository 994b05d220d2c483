/**
 * Decides whether a function is slower than in its own past, and since when.
 *
 * A function is slower if its p95 meets three conditions in two consecutive quarters of an hour. It lies 4 deviations (on a
 * logarithmic scale) above the usual p95 of this hour of day. It is at least 1.5 times the usual one. It is higher than a
 * p95 that was reached on two earlier days.
 *
 * The usual p95 is the median over this hour and its neighbours on the 14 days before. The deviation is their median absolute
 * deviation. Source: Rousseeuw, Croux, Alternatives to the median absolute deviation, JASA 88 (1993).
 */
import { floorTo, type Range } from "./interval.ts";
import { DAY, HOUR, MINUTE } from "./tiers.ts";

export const slownessLimits = {
  deviations: 4,
  times: 1.5,
  /** A smaller difference does not matter to anyone. */
  minMs: 1,
  /** With fewer measured calls, a period of time has no reliable p95. */
  minMeasured: 50,
  /** With fewer past hours, there is no usual p95. */
  minPastHours: 3,
  /** The smallest deviation that is used, on a logarithmic scale. A bucket of the histogram spans 0.02. */
  minDeviation: 0.05,
  /** The deviation is learned from few days. It is therefore enlarged by `caution / days`: by a fifth with 14 days. */
  caution: 3,
  learnedDays: 14,
  /** Quarters of an hour start at :00, :15, :30 and :45, so that they are the same for every reader. */
  quarterSeconds: 15 * MINUTE,
  /** How far back the beginning of the slowness is looked for. */
  lookBackSeconds: DAY,
} as const;

/** The p95 of a period of time. */
export interface Percentile {
  /** Epoch seconds. */
  start: number;
  /** Calls with a measured duration. */
  measured: number;
  p95Ms: number;
}

export interface Slower {
  /** Epoch seconds. Null if the function is slower in all quarters that are known. */
  since: number | null;
  p95Ms: number;
  usualP95Ms: number;
}

/** The start of the last quarter of an hour that has ended, in epoch seconds. */
export function lastQuarter(nowSeconds: number): number {
  const { quarterSeconds } = slownessLimits;
  return Math.floor(nowSeconds / quarterSeconds - 1) * quarterSeconds;
}

/** The ranges of the hours that a quarter is compared with: one range for each of the `days` before it. */
export function comparableHours(quarter: number, days: number): Range[] {
  const hour = floorTo(quarter, HOUR);
  return Array.from({ length: days }, (_, i) => {
    const start = hour - (i + 1) * DAY;
    return { from: start - HOUR, to: start + 2 * HOUR };
  });
}

/** Whether the hour that starts at `hour` is one that the quarter that starts at `quarter` is compared with. */
export function isComparable(hour: number, quarter: number): boolean {
  const hours = Math.floor(quarter / HOUR) - Math.floor(hour / HOUR);
  return hours >= 23 && hours <= slownessLimits.learnedDays * 24 + 1 && (hours + 1) % 24 <= 2;
}

/**
 * Judges the last two quarters.
 *
 * @param quarters latest first, without gaps: the last one that has ended, then those before it as far back as known.
 *   Quarters with too few calls must be in the list.
 * @param hours of the past, in any order. Those that are not comparable are ignored.
 * @returns undefined if the function is not slower or has too few calls now; "unknown" if its past is too short
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
  /** The median of the logarithms of the hours' p95. */
  median: number;
  deviation: number;
  measured: number;
  /** The worst p95 of the second-worst day: one that two days reached. */
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
  // For a normal distribution, 1.4826 times the median absolute deviation is the standard deviation.
  const spread = 1.4826 * medianOf(logs.map((log) => Math.abs(log - median)));
  return {
    median,
    deviation: Math.max(slownessLimits.minDeviation, spread) * (1 + slownessLimits.caution / days),
    measured: medianOf(past.map(({ measured }) => measured)),
    worstMs: secondWorstDay(past, quarter),
  };
}

/**
 * Whether a quarter is slow. The p95 of fewer calls varies more, so the deviation is larger. The standard error of a
 * quantile's logarithm is sqrt(q (1 - q) / n) / density; at the p95 of a lognormal duration of sigma 1 that is
 * 2.1 / sqrt(n).
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
