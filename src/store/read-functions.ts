/** Queries for functions and their totals. */
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { SeriesId } from "../stats/series-id.ts";
import type { SeriesTotals } from "../stats/sums.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions } from "./schema.ts";

export type StoredFunction = SeriesId & { id: number; firstSeen: number; lastSeen: number };
export type StoredTotals = SeriesTotals & { id: number };

/** Selects functions by name. */
export interface Named {
  service: string;
  function: string;
  /** Any module, if left out. */
  module?: string | undefined;
}

const { name, ...others } = getTableColumns(functions);
const totals = { ...others, function: name };
const { buckets: _, ...sums } = totals;
const { id, service, module, firstSeen, lastSeen } = others;
const identity = { id, service, module, function: name, firstSeen, lastSeen };

/** All functions with their totals. Reads one row for each function. */
export const allTotals = (): Query<StoredTotals[]> => (orm) => orm.select(totals).from(functions);

/** As `allTotals`, without the histograms, which make up most of the bytes. */
export const allSums = (): Query<Omit<StoredTotals, "buckets">[]> => (orm) =>
  orm.select(sums).from(functions);

export const totalsOfIds =
  (ids: readonly number[]): Query<StoredTotals[]> =>
  (orm) =>
    orm.select(totals).from(functions).where(isOneOf(ids));

/** As `totalsOfIds`, without the histograms. */
export const sumsOfIds =
  (ids: readonly number[]): Query<Omit<StoredTotals, "buckets">[]> =>
  (orm) =>
    orm.select(sums).from(functions).where(isOneOf(ids));

const isOneOf = (ids: readonly number[]): SQL =>
  sql`${id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;

export const allFunctions = (): Query<StoredFunction[]> => (orm) => orm.select(identity).from(functions);

export const totalsOf =
  (named: Named): Query<StoredTotals[]> =>
  (orm) =>
    orm.select(totals).from(functions).where(isNamed(named));

export function isNamed(named: Named): SQL | undefined {
  return and(
    eq(service, named.service),
    eq(name, named.function),
    named.module === undefined ? undefined : eq(module, named.module),
  );
}
