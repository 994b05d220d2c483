/** Queries for rollups: what functions did over time. */
import { and, getTableColumns, gte, inArray, lt, sql, type SQL } from "drizzle-orm";
import type { Range } from "../stats/interval.ts";
import type { Sums } from "../stats/sums.ts";
import { RESOLUTIONS } from "../stats/tiers.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions, rollups } from "./schema.ts";

/** The sums of one function over one minute, hour or day. `start` is its first second, in epoch seconds. */
export type Rollup = Sums & { functionId: number; start: number };

const { resolution: _, ...columns } = getTableColumns(rollups);

/** The rollups that start within the range, of all functions with the name. Reads no other rollups. */
export const rollupsOf =
  (named: Named, range: Range): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(rollups)
      .where(
        within(
          range,
          inArray(rollups.functionId, orm.select({ id: functions.id }).from(functions).where(isNamed(named))),
        ),
      );

/** As `rollupsOf`, for functions given by their ids. All ids travel in one parameter, since D1 allows 100. */
export const rollupsOfIds =
  (ids: readonly number[], range: Range): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(rollups)
      .where(
        within(
          range,
          // Rollups of a deleted function may still be there, so the function is looked up as well.
          sql`${rollups.functionId} IN (SELECT id FROM functions WHERE id IN (SELECT value FROM json_each(${JSON.stringify(ids)})))`,
        ),
      );

/**
 * WARNING: name all resolutions. The primary key is (function, resolution, start): without the resolution SQLite cannot use
 * it for the range and reads all rollups of the functions.
 */
function within(range: Range, ofFunctions: SQL): SQL | undefined {
  return and(
    ofFunctions,
    inArray(rollups.resolution, [...RESOLUTIONS]),
    gte(rollups.start, range.from),
    lt(rollups.start, range.to),
  );
}
