/** Deletes the rollups and failures of deleted functions, and records of deletions that are no longer needed. */

/** Deleted functions in one step. Each may have thousands of rollups. */
const FUNCTIONS_AT_ONCE = 100;

/**
 * Deletes rollups and failures of deleted functions, at most `limit` of each, in one transaction. Frees the ids of functions
 * that have none left. Call again until it returns 0.
 *
 * @returns how many rows it deleted
 */
export async function deleteLeftovers(db: D1Database, limit: number): Promise<number> {
  const ids = `SELECT function_id FROM deleted_functions ORDER BY function_id LIMIT ${FUNCTIONS_AT_ONCE}`;
  const rollups = `SELECT r.function_id, r.width, r.start FROM (${ids}) AS d CROSS JOIN rollups AS r
    ON r.function_id = d.function_id LIMIT ?1`;
  const failures = `SELECT e.function_id, e.name, e.message FROM (${ids}) AS d CROSS JOIN failures AS e
    ON e.function_id = d.function_id LIMIT ?1`;
  const [counted] = await db.batch<{ deleted: number }>([
    db
      .prepare(`SELECT (SELECT count(*) FROM (${rollups})) + (SELECT count(*) FROM (${failures})) AS deleted`)
      .bind(limit),
    db.prepare(`DELETE FROM rollups WHERE (function_id, width, start) IN (${rollups})`).bind(limit),
    db.prepare(`DELETE FROM failures WHERE (function_id, name, message) IN (${failures})`).bind(limit),
    db.prepare(
      `DELETE FROM search_failures WHERE rowid IN (
        SELECT rowid FROM search_failures WHERE function_id IN (${ids})
      )`,
    ),
    db.prepare(
      `DELETE FROM deleted_functions WHERE function_id IN (${ids})
       AND NOT EXISTS (SELECT 1 FROM rollups AS r WHERE r.function_id = deleted_functions.function_id)
       AND NOT EXISTS (SELECT 1 FROM failures AS e WHERE e.function_id = deleted_functions.function_id)`,
    ),
  ]);
  return counted!.results[0]!.deleted;
}

/** Deletes records of deletions below the low watermark of their epoch. All flushes that they affect are settled. */
export async function forgetDeletions(db: D1Database): Promise<void> {
  await db
    .prepare(
      `DELETE FROM deletions WHERE EXISTS (
        SELECT 1 FROM epochs WHERE epochs.epoch = deletions.epoch AND epochs.floor > deletions.n
      )`,
    )
    .run();
}
