/** Deletes minutes and hours that are old and closed: the hour rollup, or the day rollup, includes their calls. */
import { type Tier, TIERS } from "./closed.ts";

/**
 * Deletes minutes that start before `before` (epoch seconds) and whose hour is closed; or hours whose day is closed. At most
 * `limit` of them, in one transaction. Call again for the rollups that are left or arrive later.
 *
 * @returns how many rollups it deleted
 */
export async function deleteExpired(
  db: D1Database,
  within: Tier,
  before: number,
  limit: number,
): Promise<number> {
  const { resolution, finer } = TIERS[within];
  // WARNING: nothing else has the calls of a minute whose hour is open.
  const expired = (columns: string) => `
    SELECT ${columns} FROM functions AS f CROSS JOIN rollups AS r
    ON r.function_id = f.id AND r.width = ${finer}
      AND r.start < min(?1, coalesce((SELECT until FROM closed WHERE resolution = ${resolution}), 0))
    ORDER BY r.function_id, r.start LIMIT ?2`;
  const [counted] = await db.batch<{ deleted: number }>([
    // Not `meta.changes` of the DELETE: the local D1 reads that from a counter that concurrent statements change too.
    db.prepare(`SELECT count(*) AS deleted FROM (${expired("1")})`).bind(before, limit),
    db
      .prepare(
        `DELETE FROM rollups WHERE (function_id, width, start) IN (${expired("r.function_id, r.width, r.start")})`,
      )
      .bind(before, limit),
  ]);
  return counted!.results[0]!.deleted;
}
