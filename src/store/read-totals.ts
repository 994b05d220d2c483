/** The totals of every function, together with what the ledger says of flushes that may be missing in them. */
import { and, eq, gte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { FunctionTotals } from "../stats/delta.ts";
import type { Histogram } from "../stats/histogram.ts";
import { epochs, flushes, functions } from "./schema.ts";

export interface StoredTotals {
  totals: FunctionTotals[];
  /** Whether the totals include the flush. To be asked of ids at or above `fromN` only. */
  includes(n: number): boolean;
  /** The highest flush that the totals may include, and 0 where none is known. */
  highest: number;
}

/**
 * One transaction, and by D1's default on the primary: the totals and the ledger agree. Reads as many rows as there
 * are functions, and the epoch's ledger from `fromN` on.
 */
export async function readTotals(db: D1Database, epoch: string, fromN: number): Promise<StoredTotals> {
  const orm = drizzle(db);
  const [rows, known, [settled]] = await orm.batch([
    orm.select().from(functions),
    orm
      .select({ n: flushes.n })
      .from(flushes)
      .where(and(eq(flushes.epoch, epoch), gte(flushes.n, fromN))),
    orm.select({ floor: epochs.floor }).from(epochs).where(eq(epochs.epoch, epoch)),
  ]);
  const floor = settled?.floor ?? 0;
  const applied = new Set(known.map(({ n }) => n));
  return {
    totals: rows.map(({ id: _, name, histogram, ...tally }) => ({
      ...tally,
      function: name,
      histogram: JSON.parse(histogram) as Histogram,
    })),
    includes: (n) => n < floor || applied.has(n),
    highest: Math.max(floor - 1, ...applied),
  };
}
