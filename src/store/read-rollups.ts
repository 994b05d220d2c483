/** Queries of what functions did over time. */
import { and, getTableColumns, gte, inArray, lt, sql, type SQL } from "drizzle-orm";
import type { Range } from "../stats/interval.ts";
import type { Sums } from "../stats/sums.ts";
import { RESOLUTIONS } from "../stats/tiers.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions, rollups } from "./schema.ts";

/** What one function did in one bucket of time, which starts at `start`, in epoch seconds. */
export type Rollup = Sums & { functionId: number; start: number };

const { width: _, ...columns } = getTableColumns(rollups);

/** Reads their rollups in the range, and nothing else but the functions. */
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

/** As `rollupsOf`, of functions whose ids are known. One parameter carries any number of them. */
export const rollupsOfIds =
  (ids: readonly number[], range: Range): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(rollups)
      .where(
        within(range, sql`${rollups.functionId} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`),
      );

/** WARNING: with all its widths named, so that the key (function, width, start) finds the range in each. */
function within(range: Range, ofFunctions: SQL): SQL | undefined {
  return and(
    ofFunctions,
    inArray(rollups.width, [...RESOLUTIONS]),
    gte(rollups.start, range.from),
    lt(rollups.start, range.to),
  );
}
