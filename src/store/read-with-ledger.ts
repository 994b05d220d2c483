/** Reads rows from D1 together with the ledger, which lists the flushes that the rows include. */
import { and, eq, gte, or } from "drizzle-orm";
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

/** Where to read the ledger of one epoch from. */
export interface LedgerPosition {
  epoch: string;
  fromN: number;
}

/** The ledger of one epoch, from a position on. */
export interface LedgerPart {
  /** Whether the rows include the flush. The id must be at or above the `fromN` of the position. */
  includes: (n: number) => boolean;
  /** The highest flush id that the rows may include; 0 or less if there is none. */
  highest: number;
}

export interface StoredRead<Queries extends readonly Query[]> {
  rows: Rows<Queries>;
  /** In the order of the positions. */
  ledger: LedgerPart[];
}

/**
 * Runs the queries and reads the ledger at each position, in one transaction, so that rows and ledger agree. D1 sends it to
 * the primary database by default.
 */
export async function readWithLedger<const Queries extends readonly Query[]>(
  db: D1Database,
  positions: readonly LedgerPosition[],
  queries: Queries,
): Promise<StoredRead<Queries>> {
  const orm = drizzle(db);
  const isAtOrAbove = ({ epoch, fromN }: LedgerPosition) =>
    and(eq(flushes.epoch, epoch), gte(flushes.n, fromN));
  const [known, settled, ...rows] = await orm.batch([
    orm
      .select({ epoch: flushes.epoch, n: flushes.n })
      .from(flushes)
      .where(or(...positions.map(isAtOrAbove))),
    orm
      .select()
      .from(epochs)
      .where(or(...positions.map(({ epoch }) => eq(epochs.epoch, epoch)))),
    ...queries.map((query) => query(orm) as BatchItem<"sqlite">),
  ]);
  const ledger = positions.map(({ epoch }): LedgerPart => {
    const lowWatermark = settled.find((row) => row.epoch === epoch)?.lowWatermark ?? 0;
    const applied = new Set(known.filter((row) => row.epoch === epoch).map(({ n }) => n));
    return {
      includes: (n) => n < lowWatermark || applied.has(n),
      highest: Math.max(lowWatermark - 1, ...applied),
    };
  });
  return { rows: rows as Rows<Queries>, ledger };
}
