/** Moves rollups that have aged into wider ones: minutes into hours, hours into days. */
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { mergeInto, TALLY_COLUMNS, totalOf } from "./apply-flushes.ts";

export type Move = "minutes" | "hours";

const RESOLUTIONS = { minutes: { from: MINUTE, to: HOUR }, hours: { from: HOUR, to: DAY } } as const;

/**
 * Moves the first rollups that start before `before` (epoch seconds), as many as given, and tells how many it moved.
 * One transaction: a call is never in both places, nor in none. What is left, or has come late, another one moves.
 */
export async function moveRollups(
  db: D1Database,
  move: Move,
  before: number,
  limit: number,
): Promise<number> {
  const { from, to } = RESOLUTIONS[move];
  // WARNING: all statements must mean the same rows. They do, since the second only adds rollups of another width.
  const due = (columns: string) => `
    SELECT ${columns} FROM functions AS f CROSS JOIN rollups AS r
    ON r.function_id = f.id AND r.width = ${from} AND r.start < ?1
    ORDER BY r.function_id, r.start LIMIT ?2`;
  const [counted] = await db.batch<{ moved: number }>([
    // Not `meta.changes` of the deletion: the local D1 takes it from a counter that others may move as well.
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
        ON CONFLICT (function_id, width, start) DO UPDATE SET ${mergeInto("rollups")}`,
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
