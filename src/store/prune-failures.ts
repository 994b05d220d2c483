/** Deletes failures that have not occurred for a long time. Their calls stay in the totals, as errors. */

/**
 * Deletes failures that last occurred before `seenBefore` (epoch milliseconds), at most `limit` of them, and their entries in
 * the search index. One transaction. Call again for the failures that are left.
 *
 * @returns how many failures it deleted
 */
export async function pruneFailures(db: D1Database, seenBefore: number, limit: number): Promise<number> {
  const old = (columns: string) => `SELECT ${columns} FROM failures WHERE last_seen < ?1 LIMIT ?2`;
  const [counted] = await db.batch<{ pruned: number }>([
    db.prepare(`SELECT count(*) AS pruned FROM (${old("1")})`).bind(seenBefore, limit),
    db
      .prepare(
        `DELETE FROM failures WHERE (function_id, name, message) IN (${old("function_id, name, message")})`,
      )
      .bind(seenBefore, limit),
    db.prepare(
      `DELETE FROM search_failures WHERE rowid IN (
        SELECT indexed.rowid FROM search_failures AS indexed WHERE NOT EXISTS (
          SELECT 1 FROM failures AS known
          WHERE known.function_id = indexed.function_id AND known.name = indexed.name AND known.message = indexed.message
        )
      )`,
    ),
  ]);
  return counted!.results[0]!.pruned;
}
