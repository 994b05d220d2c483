/** Reads D1 together with its ledger: what is there, and which flushes it includes. */
import { and, eq, gte } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import type { RunnableQuery } from "drizzle-orm/runnable-query";
import { epochs, flushes } from "./schema.ts";

/** A SELECT, made once the database to ask is known. */
export type Query<Rows = unknown> = (orm: DrizzleD1Database) => RunnableQuery<Rows, "sqlite">;

/** What each of the queries answers. */
export type Rows<Queries extends readonly Query[]> = {
  -readonly [K in keyof Queries]: Queries[K] extends Query<infer Rows> ? Rows : never;
};

export interface StoredRead<Queries extends readonly Query[]> {
  rows: Rows<Queries>;
  /** Whether the rows include the flush. To be asked of ids at or above `fromN` only. */
  includes: (n: number) => boolean;
  /** The highest flush that the rows may include, and 0 where none is known. */
  highest: number;
}

/**
 * One transaction, and by D1's default on the primary: the rows and the ledger agree. Of the ledger it reads the
 * epoch's entries from `fromN` on.
 */
export async function readWithLedger<const Queries extends readonly Query[]>(
  db: D1Database,
  epoch: string,
  fromN: number,
  queries: Queries,
): Promise<StoredRead<Queries>> {
  const orm = drizzle(db);
  const [known, [settled], ...rows] = await orm.batch([
    orm
      .select({ n: flushes.n })
      .from(flushes)
      .where(and(eq(flushes.epoch, epoch), gte(flushes.n, fromN))),
    orm.select({ floor: epochs.floor }).from(epochs).where(eq(epochs.epoch, epoch)),
    ...queries.map((query) => query(orm) as BatchItem<"sqlite">),
  ]);
  const floor = settled?.floor ?? 0;
  const applied = new Set(known.map(({ n }) => n));
  return {
    rows: rows as Rows<Queries>,
    includes: (n) => n < floor || applied.has(n),
    highest: Math.max(floor - 1, ...applied),
  };
}
