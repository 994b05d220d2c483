/** Tells whether the ledger knows a flush. */

/**
 * Whether a flush was applied or dropped, as far as D1 knows. Reads two rows at most.
 *
 * If the buffer has a confirmation of the flush and this says no, D1 has lost data: it was emptied, or restored to an
 * earlier time.
 */
export async function isSettled(db: D1Database, epoch: string, n: number): Promise<boolean> {
  const known = await db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM flushes WHERE epoch = ?1 AND n = ?2)
         OR EXISTS (SELECT 1 FROM epochs WHERE epoch = ?1 AND floor > ?2) AS known`,
    )
    .bind(epoch, n)
    .first<number>("known");
  return known === 1;
}
