/** Queries for rollups: what functions did over time. */
import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { ceilTo, type Range } from "../stats/interval.ts";
import type { Sums } from "../stats/sums.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { openFromOf, type Tier } from "./closed.ts";
import type { Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { rollups } from "./schema.ts";

/** The sums of one function over one minute, hour or day. `start` is its first second, in epoch seconds. */
export type Rollup = Sums & { functionId: number; start: number };

/**
 * Until when a read takes hours instead of minutes, and days instead of hours, as far as they are closed. Whole hours and
 * whole days, in epoch seconds.
 */
export interface CoarseTimes {
  hours: number;
  days: number;
}

/** A rollup with its length in seconds: a minute, an hour or a day. */
export type Tile = Omit<Rollup, "buckets"> & { resolution: number; buckets?: Rollup["buckets"] };

const tile = getTableColumns(rollups);
const { resolution: _, ...columns } = tile;
const { buckets: __, ...tileWithoutBuckets } = tile;

const IN_PART = sql`${rollups.functionId} = part.id AND ${rollups.resolution} = part.width
  AND ${rollups.start} >= part.starts_at AND ${rollups.start} < part.ends_at`;

/** The rollups that make up the range, of all functions with the name. Each call is in one of them. Reads few others. */
export const tilesOf =
  (named: Named, range: Range, coarse: CoarseTimes): Query<Tile[]> =>
  (orm) =>
    orm
      .select(tile)
      .from(
        partsOf(
          range,
          coarse,
          sql`functions AS f WHERE f.service = ${named.service} AND f.name = ${named.function}
            AND f.module = coalesce(${named.module ?? null}, f.module)`,
        ),
      )
      .crossJoin(rollups)
      .where(IN_PART);

/** The rollups that make up the range, of functions given by their ids. All ids travel in one parameter: D1 allows 100. */
export const rollupsOfIds =
  (ids: readonly number[], range: Range, coarse: CoarseTimes): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(partsOf(range, coarse, withIds(ids)))
      .crossJoin(rollups)
      .where(IN_PART);

/** As `rollupsOfIds`, with the length of each. Leaving out the histograms leaves out most of the bytes. */
export const tilesOfIds =
  (ids: readonly number[], range: Range, coarse: CoarseTimes, withBuckets: boolean): Query<Tile[]> =>
  (orm) =>
    orm
      .select((withBuckets ? tile : tileWithoutBuckets) as typeof tile)
      .from(partsOf(range, coarse, withIds(ids)))
      .crossJoin(rollups)
      .where(IN_PART);

// Rollups of a deleted function may still be there, so the function is looked up as well.
const withIds = (ids: readonly number[]): SQL =>
  sql`json_each(${JSON.stringify(ids)}) AS one CROSS JOIN functions AS f ON f.id = one.value`;

/**
 * A range consists of minutes, whole hours, whole days, whole hours and minutes again; each of these parts may be empty. Where
 * hours or days are open, the finer rollups take their place. Rollups of open hours and days come from earlier releases and
 * hold other calls than the finer ones, so they are read too.
 *
 * WARNING: CROSS JOIN makes SQLite look up each part by its function, resolution and time, which is the primary key. With a
 * plain join it may read all rollups.
 */
function partsOf({ from, to }: Range, coarse: CoarseTimes, ofFunctions: SQL): SQL {
  const hours = Math.min(ceilTo(from, HOUR), to);
  const days = Math.min(ceilTo(from, DAY), to);
  // Parts that are empty for every function are left out, because each costs a row read for each function.
  const parts = [
    from < hours && sql`json_array(${MINUTE}, ${from}, ${hours})`,
    hours < coarse.hours && sql`json_array(${HOUR}, ${hours}, min(${days}, hours_end))`,
    days < coarse.days && sql`json_array(${DAY}, ${days}, days_end)`,
    days < coarse.hours && sql`json_array(${HOUR}, days_end, hours_end)`,
    sql`json_array(${MINUTE}, hours_end, ${to})`,
    sql`json_array(${HOUR}, max(${from}, open_hours), ${to})`,
    sql`json_array(${DAY}, max(${from}, open_days), ${to})`,
  ].filter((part) => part !== false);
  const open = (tier: Tier) => sql.raw(openFromOf(tier));
  return sql`(
    WITH opened AS MATERIALIZED (
      SELECT f.id, ${open("hours")} AS open_hours, ${open("days")} AS open_days FROM ${ofFunctions}
    ),
    times AS (
      SELECT *, max(${hours}, min(${coarse.hours}, open_hours)) AS hours_end,
        max(${days}, min(${coarse.days}, open_days)) AS days_end
      FROM opened
    )
    SELECT times.id, part.value ->> 0 AS width, part.value ->> 1 AS starts_at, part.value ->> 2 AS ends_at
    FROM times CROSS JOIN json_each(json_array(${sql.join(parts, sql`, `)})) AS part WHERE starts_at < ends_at
  ) AS part`;
}
