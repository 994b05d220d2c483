/** Sums over calls: how many, how many failed, how long they took. Sums add up to the same result in any order. */
import { type Buckets, sumBuckets } from "./histogram.ts";
import { idOf, type SeriesId, seriesKey } from "./series-id.ts";

/** Sums over any number of calls of one function. */
export interface Sums {
  calls: number;
  errors: number;
  /** Calls whose duration the clock could not measure. They count as calls and not as durations. */
  unmeasured: number;
  /** Whole microseconds. Integers add up to the same sum in any order. */
  sumUs: number;
  /** Over measured calls; null if there are none. */
  minMs: number | null;
  maxMs: number | null;
  /** Counts of measured calls, which add up to `calls - unmeasured`. */
  buckets: Buckets;
}

/** Sums with the times of the earliest and the latest call, in epoch milliseconds. */
export interface Tally extends Sums {
  firstSeen: number;
  lastSeen: number;
}

export type SeriesTotals = SeriesId & Tally;

/**
 * Adds up sums; without any parts, the sums of zero calls. With one part, the result shares that part's list of buckets.
 */
export function sumOf(parts: readonly Sums[]): Sums {
  const sum = { calls: 0, errors: 0, unmeasured: 0, sumUs: 0 };
  let minMs: number | null = null;
  let maxMs: number | null = null;
  for (const part of parts) {
    sum.calls += part.calls;
    sum.errors += part.errors;
    sum.unmeasured += part.unmeasured;
    sum.sumUs += part.sumUs;
    if (part.minMs !== null && (minMs === null || part.minMs < minMs)) minMs = part.minMs;
    if (part.maxMs !== null && (maxMs === null || part.maxMs > maxMs)) maxMs = part.maxMs;
  }
  const buckets = parts.length === 1 ? parts[0]!.buckets : sumBuckets(parts.map((part) => part.buckets));
  return { ...sum, minMs, maxMs, buckets };
}

/** As `sumOf`, with the earliest `firstSeen` and the latest `lastSeen`. Needs at least one part. */
export function tallyOf(parts: readonly Tally[]): Tally {
  let { firstSeen, lastSeen } = parts[0]!;
  for (const part of parts) {
    if (part.firstSeen < firstSeen) firstSeen = part.firstSeen;
    if (part.lastSeen > lastSeen) lastSeen = part.lastSeen;
  }
  return { ...sumOf(parts), firstSeen, lastSeen };
}

/** The totals of each series that occurs, in order of first occurrence. Does not change its input. */
export function sumBySeries(parts: Iterable<SeriesTotals>): SeriesTotals[] {
  const groups = Map.groupBy(parts, seriesKey);
  return Array.from(groups.values(), (group) => ({ ...idOf(group[0]!), ...tallyOf(group) }));
}
