/** Reads rows from D1 together with the ledger, which tells which flushes the rows include. */
import { and, eq, gte } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";
import type { RunnableQuery } from "drizzle-orm/runnable-query";
import { epochs, flushes } from "./schema.ts";

/** Makes a SELECT for a given database. */
export type Query<Rows = unknown> = (orm: DrizzleD1Database) => RunnableQuery<Rows, "sqlite">;

/** The results of several queries. */
export type Rows<Queries extends readonly Query[]> = {
  -readonly [K in keyof Queries]: Queries[K] extends Query<infer Rows> ? Rows : never;
};

export interface StoredRead<Queries extends readonly Query[]> {
  rows: Rows<Queries>;
  /** Whether the rows include the flush. The id must be at or above `fromN`. */
  includes: (n: number) => boolean;
  /** The highest flush id that the rows may include; 0 or less if there is none. */
  highest: number;
}

/**
 * Runs the queries and reads the ledger of the epoch from `fromN` on, in one transaction, so that rows and ledger agree. D1
 * sends it to the primary database by default.
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
    orm.select({ lowWatermark: epochs.lowWatermark }).from(epochs).where(eq(epochs.epoch, epoch)),
    ...queries.map((query) => query(orm) as BatchItem<"sqlite">),
  ]);
  const lowWatermark = settled?.lowWatermark ?? 0;
  const applied = new Set(known.map(({ n }) => n));
  return {
    rows: rows as Rows<Queries>,
    includes: (n) => n < lowWatermark || applied.has(n),
    highest: Math.max(lowWatermark - 1, ...applied),
  };
}
