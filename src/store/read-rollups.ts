/** Queries of what functions did over time. */
import { and, getTableColumns, gte, inArray, lt, sql, type SQL } from "drizzle-orm";
import type { Sums } from "../stats/delta.ts";
import { isNamed, type Named } from "./read-functions.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions, rollups } from "./schema.ts";
import { RESOLUTIONS } from "../stats/tiers.ts";

/** What one function did in one bucket of time, which starts at `start`, in epoch seconds. */
export type Rollup = Sums & { functionId: number; start: number };

/** The rollups that start within a range: from `from` on, before `to`, in epoch seconds. */
export interface Span {
  from: number;
  to: number;
}

const { width: _, ...columns } = getTableColumns(rollups);

/** Reads their rollups in the range, and nothing else but the functions. */
export const rollupsOf =
  (named: Named, span: Span): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(rollups)
      .where(
        within(
          span,
          inArray(rollups.functionId, orm.select({ id: functions.id }).from(functions).where(isNamed(named))),
        ),
      );

/** As `rollupsOf`, of functions whose ids are known. One parameter carries any number of them. */
export const rollupsOfIds =
  (ids: readonly number[], span: Span): Query<Rollup[]> =>
  (orm) =>
    orm
      .select(columns)
      .from(rollups)
      .where(
        within(span, sql`${rollups.functionId} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`),
      );

/** WARNING: with all its widths named, so that the key (function, width, start) finds the range in each. */
function within(span: Span, ofFunctions: SQL): SQL | undefined {
  return and(
    ofFunctions,
    inArray(rollups.width, [...RESOLUTIONS]),
    gte(rollups.start, span.from),
    lt(rollups.start, span.to),
  );
}
