/**
 * The ledger of flushes. It holds one entry for each flush that was applied or dropped, and for each epoch a low watermark:
 * every flush below it is settled. `applyFlushes` adds the entries of applied flushes.
 *
 * The SQL column of the low watermark is named `floor`.
 */

/** The `applied_at` of a flush that a person dropped. */
const NEVER = 0;

const LAST_APPLIED = `
  SELECT n, applied_at FROM flushes WHERE epoch = ?1 AND applied_at > ${NEVER} ORDER BY n DESC LIMIT 1`;

/**
 * Raises the low watermark of an epoch to `n`, and deletes the entries below it. The last applied entry stays, because it
 * tells when D1 last took a flush. Idempotent. Never lowers a low watermark.
 *
 * WARNING: `n` must be at most the buffer's lowest unconfirmed flush. Every flush below the low watermark counts as applied,
 * even one that never was.
 */
export async function raiseLowWatermark(db: D1Database, epoch: string, n: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO epochs (epoch, floor) VALUES (?1, ?2)
         ON CONFLICT (epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor`,
      )
      .bind(epoch, n),
    // WARNING: the entry of a flush at or above the low watermark must stay. Without it a late copy is applied again.
    db
      .prepare(`DELETE FROM flushes WHERE epoch = ?1 AND n < ?2 AND n < (SELECT n FROM (${LAST_APPLIED}))`)
      .bind(epoch, n),
  ]);
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

/** When D1 last took a flush of an epoch, in epoch milliseconds; null if it never did. Reads one row. */
export async function readLastApplied(db: D1Database, epoch: string): Promise<number | null> {
  return db.prepare(LAST_APPLIED).bind(epoch).first("applied_at");
}
