/**
 * Reads the latest minutes of every function, exactly, for doors that follow the calls as they come. Such a door keeps what it
 * has read, and asks only for minutes that can still change.
 */
import type { Delta } from "../stats/delta.ts";
import type { Buckets } from "../stats/histogram.ts";
import { idOf, type SeriesId, seriesKey } from "../stats/series-id.ts";
import { recentCalls } from "../store/read-attention.ts";
import { readExact } from "./exact.ts";
import type { ReadBindings } from "./series.ts";

/** A part of a minute's calls. A minute may have several parts, which add up. */
export interface MinutePart {
  /** Epoch seconds. */
  start: number;
  calls: number;
  errors: number;
  measured: number;
  sumUs: number;
  maxMs: number | null;
  /** Null if durations were not asked for. */
  buckets: Buckets | null;
}

export interface RecentSeries extends SeriesId {
  /** In D1. Null as long as D1 does not have the function. */
  id: number | null;
  /** Epoch milliseconds. */
  firstSeen: number;
  lastSeen: number;
  /** Since the beginning. */
  calls: number;
  errors: number;
  /** From the start that was asked for on, in no order. */
  minutes: MinutePart[];
}

export interface RecentOptions {
  /** Epoch milliseconds. Functions that were called last before this are left out. */
  seenSince: number;
  /** Epoch seconds. */
  start: number;
  /** From when on with histograms, in epoch seconds. */
  histograms: number;
  /** Of D1, only these functions. WARNING: of others, the answer may have the calls that are not in D1 yet. */
  ids?: readonly number[];
}

/**
 * Reads one row for each function and one for each of its minutes from `start` on.
 *
 * @throws {BusyError | BindingFault}
 */
export async function readRecentCalls(
  env: ReadBindings,
  { seenSince, start, histograms, ids }: RecentOptions,
): Promise<RecentSeries[]> {
  const { stored, unapplied } = await readExact(env, [recentCalls(seenSince, start, histograms, ids)]);
  const deltas = Map.groupBy(unapplied, seriesKey);
  const known = stored[0].map((row): RecentSeries => {
    const own = deltas.get(seriesKey(row)) ?? [];
    deltas.delete(seriesKey(row));
    const minutes = row.minutes.map(({ unmeasured, ...minute }) => ({
      ...minute,
      measured: minute.calls - unmeasured,
    }));
    return withDeltas({ ...row, minutes }, own, start);
  });
  const onlyBuffered = [...deltas.values()]
    .filter((own) => own.some(({ lastSeen }) => lastSeen >= seenSince))
    .map((own) => {
      const { firstSeen, lastSeen } = own[0]!;
      return withDeltas(
        { ...idOf(own[0]!), id: null, firstSeen, lastSeen, calls: 0, errors: 0, minutes: [] },
        own,
        start,
      );
    });
  return [...known, ...onlyBuffered];
}

function withDeltas(series: RecentSeries, deltas: readonly Delta[], start: number): RecentSeries {
  const sum = { ...series, minutes: [...series.minutes] };
  for (const { minute, calls, errors, unmeasured, sumUs, maxMs, buckets, firstSeen, lastSeen } of deltas) {
    sum.calls += calls;
    sum.errors += errors;
    sum.firstSeen = Math.min(sum.firstSeen, firstSeen);
    sum.lastSeen = Math.max(sum.lastSeen, lastSeen);
    if (minute < start) continue;
    sum.minutes.push({ start: minute, calls, errors, measured: calls - unmeasured, sumUs, maxMs, buckets });
  }
  return sum;
}
