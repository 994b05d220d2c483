/** Queries of functions and their totals. */
import { and, eq, getTableColumns, type SQL } from "drizzle-orm";
import type { SeriesId } from "../stats/series-id.ts";
import type { SeriesTotals } from "../stats/sums.ts";
import type { Query } from "./read-with-ledger.ts";
import { functions } from "./schema.ts";

export type StoredFunction = SeriesId & { id: number; firstSeen: number; lastSeen: number };
export type StoredTotals = SeriesTotals & { id: number };

/** Functions of one name. */
export interface Named {
  service: string;
  function: string;
  /** Any, where it is left out. */
  module?: string | undefined;
}

const { name, ...others } = getTableColumns(functions);
const totals = { ...others, function: name };
const { buckets: _, ...sums } = totals;
const { id, service, module, firstSeen, lastSeen } = others;
const identity = { id, service, module, function: name, firstSeen, lastSeen };

/** Reads as many rows as there are functions. */
export const allTotals = (): Query<StoredTotals[]> => (orm) => orm.select(totals).from(functions);

/** As `allTotals`, without the histograms, which are most of the bytes. */
export const allSums = (): Query<Omit<StoredTotals, "buckets">[]> => (orm) =>
  orm.select(sums).from(functions);

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
