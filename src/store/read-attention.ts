/**
 * Queries for `GET /attention`. D1 bills each row that it reads, so each query reads a function's row once and returns its
 * rollups with it, as JSON. Histograms are read only where durations are judged.
 */
import { eq, gte, sql, type SQL } from "drizzle-orm";
import { type Buckets, type Histogram, toBuckets } from "../stats/histogram.ts";
import type { SeriesId } from "../stats/series-id.ts";
import { HOUR, MINUTE } from "../stats/tiers.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions } from "./schema.ts";

/** Start (epoch seconds), calls, errors. */
export type CountRow = [start: number, calls: number, errors: number];

/** As `CountRow`, with durations. `buckets` is null if the histogram was not asked for. */
export interface DurationRow {
  start: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
  minMs: number | null;
  maxMs: number | null;
  buckets: Buckets | null;
}

export type RecentCalls = SeriesId & {
  id: number;
  /** Since the beginning. */
  calls: number;
  errors: number;
  firstSeen: number;
  lastSeen: number;
  minutes: DurationRow[];
};

export interface PastCalls {
  id: number;
  calls: number;
  errors: number;
  minutes: CountRow[];
  hours: CountRow[];
}

const { id, service, module, name, calls, errors, firstSeen, lastSeen } = functions;

/**
 * Functions that were called at or after `seenSince` (epoch milliseconds), or those in `ids` if it is given. Each has its
 * minutes from `start` on, with histograms from `histograms` on (both epoch seconds). In no order. Reads one row for each
 * stored function, or for each id, and one for each minute that it returns.
 */
export const recentCalls =
  (seenSince: number, start: number, histograms: number, ids?: readonly number[]): Query<RecentCalls[]> =>
  (orm) =>
    orm
      .select({
        id,
        service,
        module,
        function: name,
        calls,
        errors,
        firstSeen,
        lastSeen,
        minutes: durationRows(MINUTE, sql`r.start >= ${start}`, sql`r.start >= ${histograms}`).as("minutes"),
      })
      .from(functions)
      .where(ids ? sql`${id} IN (SELECT value FROM ${amongIds(ids)})` : gte(lastSeen, seenSince));

/** Minutes and hours of some functions from `start` on. Reads one row for each of them, and one for each function. */
export const pastCalls =
  (ids: readonly number[], start: number): Query<PastCalls[]> =>
  (orm) =>
    orm
      .select({
        id,
        calls,
        errors,
        minutes: countRows(MINUTE, start).as("minutes"),
        hours: countRows(HOUR, start).as("hours"),
      })
      .from(amongIds(ids))
      .innerJoin(functions, eq(id, sql`ids.value`));

/** Durations of some functions in windows of time, by width of rollup. Reads the rollups in these windows only. */
export const pastDurations =
  (
    ids: readonly number[],
    width: number,
    windows: readonly { from: number; to: number }[],
  ): Query<{ id: number; rows: DurationRow[] }[]> =>
  (orm) =>
    orm
      .select({ id: sql<number>`ids.value`.as("id"), rows: windowRows(width, windows).as("rows") })
      .from(amongIds(ids));

/** WARNING: keep the CROSS JOIN. It makes SQLite seek in the key for each id and window. A plain join may scan all rollups. */
function windowRows(width: number, windows: readonly { from: number; to: number }[]) {
  const pairs = JSON.stringify(windows.map(({ from, to }) => [from, to]));
  return sql`(SELECT json_group_array(json_array(r.start, r.calls, r.errors, r.unmeasured, r.sum_us, r.min_ms, r.max_ms, json(r.histogram)))
    FROM json_each(${pairs}) AS w CROSS JOIN rollups AS r
    ON r.function_id = ids.value AND r.width = ${sql.raw(String(width))}
      AND r.start >= w.value ->> 0 AND r.start < w.value ->> 1)`.mapWith(readDurations);
}

function durationRows(width: number, when: SQL, withHistogram: SQL) {
  return sql`(SELECT json_group_array(json_array(r.start, r.calls, r.errors, r.unmeasured, r.sum_us, r.min_ms, r.max_ms,
      CASE WHEN ${withHistogram} THEN json(r.histogram) END))
    FROM rollups AS r WHERE r.function_id = functions.id AND r.width = ${sql.raw(String(width))} AND ${when})`.mapWith(
    readDurations,
  );
}

function countRows(width: number, start: number) {
  return sql`(SELECT json_group_array(json_array(r.start, r.calls, r.errors)) FROM rollups AS r
    WHERE r.function_id = functions.id AND r.width = ${sql.raw(String(width))} AND r.start >= ${start})`.mapWith(
    (text: string) => (JSON.parse(text) as CountRow[]).sort((a, b) => a[0] - b[0]),
  );
}

/** Selects from a list of ids. All ids are in one parameter, because D1 allows 100 parameters. */
function amongIds(ids: readonly number[]) {
  return sql`json_each(${JSON.stringify(ids)}) AS ids`;
}

type Raw = [number, number, number, number, number, number | null, number | null, Histogram | null];

function readDurations(text: string): DurationRow[] {
  return (JSON.parse(text) as Raw[])
    .map(([start, calls, errors, unmeasured, sumUs, minMs, maxMs, histogram]) => ({
      start,
      calls,
      errors,
      unmeasured,
      sumUs,
      minMs,
      maxMs,
      buckets: histogram && toBuckets(histogram),
    }))
    .sort((a, b) => a.start - b.start);
}
