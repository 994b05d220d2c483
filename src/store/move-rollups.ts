/** Merges old rollups into coarser ones: minutes into hours, hours into days. */
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { addToTally, TALLY_COLUMNS, totalOf } from "./tally-sql.ts";

export type Move = "minutes" | "hours";

/** Resolutions in seconds. Their SQL column is named `width`. */
const RESOLUTIONS = { minutes: { from: MINUTE, to: HOUR }, hours: { from: HOUR, to: DAY } } as const;

/**
 * Moves rollups that start before `before` (epoch seconds), at most `limit` of them. One transaction, so that each call is in
 * one rollup at any moment. Call again for the rollups that are left or arrive later.
 *
 * @returns how many rollups it moved
 */
export async function moveRollups(
  db: D1Database,
  move: Move,
  before: number,
  limit: number,
): Promise<number> {
  const { from, to } = RESOLUTIONS[move];
  // WARNING: all three statements must select the same rows. They do, because the second one adds only rollups of another
  // resolution.
  const due = (columns: string) => `
    SELECT ${columns} FROM functions AS f CROSS JOIN rollups AS r
    ON r.function_id = f.id AND r.width = ${from} AND r.start < ?1
    ORDER BY r.function_id, r.start LIMIT ?2`;
  const [counted] = await db.batch<{ moved: number }>([
    // Not `meta.changes` of the DELETE: the local D1 reads that from a counter that concurrent statements change too.
    db.prepare(`SELECT count(*) AS moved FROM (${due("1")})`).bind(before, limit),
    db
      .prepare(
        `INSERT INTO rollups (function_id, width, start, ${TALLY_COLUMNS})
        SELECT function_id, ${to}, bucket, calls, errors, unmeasured, sum_us, min_ms, max_ms, (
          SELECT json_group_object(key, calls) FROM (
            SELECT counts.key, ${totalOf("counts.value")} AS calls
            FROM json_each(histograms) AS one, json_each(one.value) AS counts GROUP BY counts.key
          )
        ) FROM (
          SELECT function_id, start / ${to} * ${to} AS bucket, total(calls) AS calls, total(errors) AS errors,
            total(unmeasured) AS unmeasured, total(sum_us) AS sum_us, min(min_ms) AS min_ms, max(max_ms) AS max_ms,
            json_group_array(json(histogram)) AS histograms
          FROM (${due("r.*")}) GROUP BY function_id, bucket
        ) WHERE true
        ON CONFLICT (function_id, width, start) DO UPDATE SET ${addToTally("rollups")}`,
      )
      .bind(before, limit),
    db
      .prepare(
        `DELETE FROM rollups WHERE (function_id, width, start) IN (${due(`r.function_id, ${from}, r.start`)})`,
      )
      .bind(before, limit),
  ]);
  return counted!.results[0]!.moved;
}
