/** What of the ledger is settled for ever. */

/**
 * Raises an epoch's floor, and forgets the single ids below it. Idempotent; a floor never falls.
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
    db.prepare("DELETE FROM flushes WHERE epoch = ?1 AND n < ?2").bind(epoch, n),
  ]);
}
