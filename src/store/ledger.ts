/**
 * The ledger of flushes. It holds one entry for each flush that was applied or dropped, and for each epoch a low watermark:
 * every flush below it is settled. `applyFlushes` adds the entries of applied flushes.
 *
 * The SQL column of the low watermark is named `floor`.
 */

import type { FlushRange } from "../flush.ts";

/** The `applied_at` of a flush that a person dropped. */
const NEVER = 0;

const LAST_APPLIED = `
  SELECT n, applied_at FROM flushes WHERE epoch = ?1 AND applied_at > ${NEVER} ORDER BY n DESC LIMIT 1`;

/** The low watermark of the epoch ?1. Ids begin at 1. */
const FLOOR = "(SELECT coalesce((SELECT floor FROM epochs WHERE epoch = ?1), 1))";

const RAISE = `WHERE true
  ON CONFLICT (epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor`;

/**
 * Raises the low watermark of an epoch toward `n`, over ids that the ledger has entries for, and deletes the entries below it.
 * The last applied entry stays, because it tells when D1 last took a flush. Idempotent. Never lowers a low watermark.
 *
 * WARNING: `n` must be at most the buffer's lowest unconfirmed flush, and an id without an entry must stop it. Every flush
 * below the low watermark counts as applied, even one that never was. A D1 that was restored to an earlier time lacks
 * flushes that the buffer has confirmations of.
 */
export async function raiseLowWatermark(db: D1Database, epoch: string, n: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `WITH entries (n, place) AS (
           SELECT n, row_number() OVER (ORDER BY n) FROM flushes WHERE epoch = ?1 AND n >= ${FLOOR} AND n < ?2
         )
         INSERT INTO epochs (epoch, floor)
         SELECT ?1, ${FLOOR} + (SELECT count(*) FROM entries WHERE n - place = ${FLOOR} - 1)
         ${RAISE}`,
      )
      .bind(epoch, n),
    deleteBelowFloor(db, epoch),
  ]);
}

/**
 * Raises the low watermark to `n` over ids that the ledger has no entries for, so that they are never applied. A person
 * accepts their loss with it.
 *
 * WARNING: `n` must be at most the buffer's lowest unconfirmed flush.
 */
export async function acceptLoss(db: D1Database, epoch: string, n: number): Promise<void> {
  await db.batch([
    db.prepare(`INSERT INTO epochs (epoch, floor) SELECT ?1, ?2 ${RAISE}`).bind(epoch, n),
    deleteBelowFloor(db, epoch),
  ]);
}

// WARNING: the entry of a flush at or above the low watermark must stay. Without it a late copy is applied again.
function deleteBelowFloor(db: D1Database, epoch: string): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM flushes WHERE epoch = ?1 AND n < ${FLOOR} AND n < (SELECT n FROM (${LAST_APPLIED}))`,
    )
    .bind(epoch);
}

/** As many of the last ids are looked at where a dead letter holds the low watermark back. */
const RECENT_IDS = 500;

/**
 * The ids of an epoch below `next` that the ledger does not know, in order. At most 1,000 ranges. Reads the entries above the
 * low watermark, which are those of about an hour.
 *
 * A dead letter can hold the low watermark back for weeks. If `heldBackBy` is its id, only the last ids are looked at, so that
 * few rows are read.
 */
export async function readUnknown(
  db: D1Database,
  epoch: string,
  next: number,
  heldBackBy: number | null = null,
): Promise<FlushRange[]> {
  const from = `(SELECT iif(${FLOOR} = ?3, max(${FLOOR}, ?2 - ${RECENT_IDS}), ${FLOOR}))`;
  const { results } = await db
    .prepare(
      `WITH known (n) AS (
         SELECT ${from} - 1 UNION ALL
         SELECT n FROM flushes WHERE epoch = ?1 AND n >= ${from} AND n < ?2 UNION ALL SELECT ?2
       )
       SELECT n + 1 AS first, following - 1 AS last
       FROM (SELECT n, lead(n) OVER (ORDER BY n) AS following FROM known) WHERE following > n + 1
       ORDER BY n LIMIT 1000`,
    )
    .bind(epoch, next, heldBackBy)
    .all<FlushRange & Record<string, unknown>>();
  return results;
}

/** When D1 applied the last flush before one that it lacks, in epoch milliseconds; null if it does not know. */
export async function readAppliedBefore(db: D1Database, epoch: string, n: number): Promise<number | null> {
  return db
    .prepare(
      `SELECT applied_at FROM flushes WHERE epoch = ?1 AND n < ?2 AND applied_at > ${NEVER} ORDER BY n DESC LIMIT 1`,
    )
    .bind(epoch, n)
    .first("applied_at");
}

/**
 * Enters a flush into the ledger without applying it, so that it can never be applied. Idempotent.
 *
 * @returns "dropped" if this call or an earlier one dropped it. "applied" if D1 had applied it before. Null if it is below
 * the low watermark, where the ledger no longer tells which of the two happened.
 */
export async function settle(
  db: D1Database,
  epoch: string,
  n: number,
): Promise<"dropped" | "applied" | null> {
  const [, found] = await db.batch<{ applied_at: number }>([
    db
      .prepare(
        `INSERT INTO flushes (epoch, n, applied_at) SELECT ?1, ?2, ${NEVER}
         WHERE NOT EXISTS (SELECT 1 FROM epochs WHERE epoch = ?1 AND floor > ?2)
         ON CONFLICT (epoch, n) DO NOTHING`,
      )
      .bind(epoch, n),
    db.prepare("SELECT applied_at FROM flushes WHERE epoch = ?1 AND n = ?2").bind(epoch, n),
  ]);
  const entry = found!.results[0];
  if (!entry) return null;
  return entry.applied_at === NEVER ? "dropped" : "applied";
}

/**
 * What became of a flush. Null if the ledger does not know it. A flush below the low watermark counts as applied: the buffer
 * has settled it, and has emptied it if it was dropped.
 */
export async function readOutcome(
  db: D1Database,
  epoch: string,
  n: number,
): Promise<"applied" | "dropped" | null> {
  const found = await db
    .prepare(
      `SELECT applied_at = ${NEVER} AS is_dropped FROM flushes WHERE epoch = ?1 AND n = ?2
       UNION ALL SELECT 0 FROM epochs WHERE epoch = ?1 AND floor > ?2 LIMIT 1`,
    )
    .bind(epoch, n)
    .first<{ is_dropped: number }>();
  if (!found) return null;
  return found.is_dropped === 1 ? "dropped" : "applied";
}

/** When D1 last took a flush of an epoch, in epoch milliseconds; null if it never did. Reads one row. */
export async function readLastApplied(db: D1Database, epoch: string): Promise<number | null> {
  return db.prepare(LAST_APPLIED).bind(epoch).first("applied_at");
}
