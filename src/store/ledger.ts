/** Flushes that are settled other than by being applied: by a floor that passed them, or by a person. */

/**
 * Raises an epoch's floor, and forgets the single ids below it, but the last one, which tells when that was. Idempotent; a floor never falls.
 *
 * WARNING: `n` must be at most the buffer's lowest unconfirmed flush. Below the floor every flush counts as applied,
 * also one that never was.
 */
export async function raiseFloor(db: D1Database, epoch: string, n: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO epochs (epoch, floor) VALUES (?1, ?2)
         ON CONFLICT (epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor`,
      )
      .bind(epoch, n),
    db.prepare("DELETE FROM flushes WHERE epoch = ?1 AND n < ?2 - 1").bind(epoch, n),
  ]);
}

/**
 * Enters a flush into the ledger without its rows, so that it can never be applied. False where the ledger knew it:
 * then it was applied.
 */
export async function settle(db: D1Database, epoch: string, n: number): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO flushes (epoch, n, applied_at) SELECT ?1, ?2, ?3
       WHERE NOT EXISTS (SELECT 1 FROM epochs WHERE epoch = ?1 AND floor > ?2)
       ON CONFLICT (epoch, n) DO NOTHING`,
    )
    .bind(epoch, n, Date.now())
    .run();
  return meta.changes > 0;
}

/** When D1 took the latest flush of an epoch, in epoch milliseconds; null where it has none. One row. */
export async function readLastApplied(db: D1Database, epoch: string): Promise<number | null> {
  return db
    .prepare("SELECT applied_at FROM flushes WHERE epoch = ?1 ORDER BY n DESC LIMIT 1")
    .bind(epoch)
    .first("applied_at");
}
