/** Flushes that are settled other than by being applied: by a floor that passed them, or by a person. */

/** When a flush was applied that a person dropped. */
const NEVER = 0;

const LAST_APPLIED = `
  SELECT n, applied_at FROM flushes WHERE epoch = ?1 AND applied_at > ${NEVER} ORDER BY n DESC LIMIT 1`;

/**
 * Raises an epoch's floor, and forgets the single ids below it, down to the last that was applied, which tells when that
 * was. Idempotent; a floor never falls.
 *
 * WARNING: `n` must be at most the buffer's lowest unconfirmed flush. Below the floor every flush counts as applied,
 * also one that never was.
 */
export async function raiseLowWatermark(db: D1Database, epoch: string, n: number): Promise<void> {
  await db.batch([
    db
      .prepare(
        `INSERT INTO epochs (epoch, floor) VALUES (?1, ?2)
         ON CONFLICT (epoch) DO UPDATE SET floor = excluded.floor WHERE excluded.floor > floor`,
      )
      .bind(epoch, n),
    db
      .prepare(`DELETE FROM flushes WHERE epoch = ?1 AND n < ?2 AND n < (SELECT n FROM (${LAST_APPLIED}))`)
      .bind(epoch, n),
  ]);
}

/**
 * Enters a flush into the ledger without its rows, so that it can never be applied. "applied" where it was before, and
 * null where a floor has passed it, below which it is forgotten which of the two it was. Idempotent.
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

/** When D1 took the latest flush of an epoch, in epoch milliseconds; null where it has none. One row. */
export async function readLastApplied(db: D1Database, epoch: string): Promise<number | null> {
  return db.prepare(LAST_APPLIED).bind(epoch).first("applied_at");
}
