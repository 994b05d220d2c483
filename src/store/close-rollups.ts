/**
 * Closes hours and days: adds up the minutes of an hour into its hour rollup, and the hours of a day into its day rollup.
 *
 * A closed rollup includes all the finer ones, which stay until `deleteExpired` deletes them. Late calls are added to both by
 * the flush that brings them (`apply-flushes.ts`). Until a rollup is closed, reads use the finer ones.
 *
 * Earlier releases merged old minutes into hours and deleted them. Such an hour rollup of an open hour includes none of the
 * minutes that are still there. Closing adds them to it, so it is then as any other.
 */
import { floorTo } from "../stats/interval.ts";
import { DAY } from "../stats/tiers.ts";
import { type ClosedState, type Tier, TIERS } from "./closed.ts";
import { addToTally, TALLY_COLUMNS, totalOf } from "./tally-sql.ts";

/** How much time one pass over the functions closes at most. A function then has at most 1,440 finer rollups in it. */
const PASS = { hours: DAY, days: 60 * DAY } as const;
const ALL_IDS = Number.MAX_SAFE_INTEGER;

/**
 * Closes what starts before `target` (epoch seconds, at the start of an hour or day), for as many functions as have `limit`
 * finer rollups, and at least for one. One transaction. Call again with the state that it returns until its `until` reaches
 * the target.
 *
 * WARNING: days may be closed only before the time until which all hours are closed.
 *
 * @returns the new state, or null if another job has changed it, in which case nothing happened
 */
export async function closeRollups(
  db: D1Database,
  tier: Tier,
  state: ClosedState,
  target: number,
  limit: number,
): Promise<ClosedState | null> {
  const { until, upto } = state;
  const { resolution, finer: width } = TIERS[tier];
  const next = state.next > until ? state.next : await endOfPass(db, tier, until, target);
  const finer = `functions AS f CROSS JOIN rollups AS r
    ON r.function_id = f.id AND r.width = ${width} AND r.start >= ?1 AND r.start < ?2`;
  const found = await db
    .prepare(
      `SELECT count(*) AS rollups, max(id) AS last FROM (
        SELECT f.id FROM ${finer} WHERE f.id > ?3 ORDER BY f.id LIMIT ?4
      )`,
    )
    .bind(until, next, upto, limit)
    .first<{ rollups: number; last: number }>();
  const isEnd = found!.rollups < limit;
  const last = isEnd ? ALL_IDS : found!.last;
  const changed: ClosedState = isEnd ? { until: next, next, upto: 0 } : { until, next, upto: last };
  // WARNING: both statements must do nothing if another job has closed the same, or the finer rollups are added twice.
  const isUnchanged = `(SELECT coalesce(max(until), 0) = ?5 AND coalesce(max(next), 0) = ?6 AND coalesce(max(upto), 0) = ?7
    FROM closed WHERE resolution = ${resolution})`;
  const expected = [state.until, state.next, state.upto];
  const [, advanced] = await db.batch<ClosedState>([
    db
      .prepare(
        `INSERT INTO rollups (function_id, width, start, ${TALLY_COLUMNS})
        SELECT function_id, ${resolution}, bucket, calls, errors, unmeasured, sum_us, min_ms, max_ms, (
          SELECT json_group_object(key, calls) FROM (
            SELECT counts.key, ${totalOf("counts.value")} AS calls
            FROM json_each(histograms) AS one, json_each(one.value) AS counts GROUP BY counts.key
          )
        ) FROM (
          SELECT r.function_id, r.start / ${resolution} * ${resolution} AS bucket, total(r.calls) AS calls,
            total(r.errors) AS errors, total(r.unmeasured) AS unmeasured, total(r.sum_us) AS sum_us, min(r.min_ms) AS min_ms,
            max(r.max_ms) AS max_ms, json_group_array(json(r.histogram)) AS histograms
          FROM ${finer} WHERE f.id > ?3 AND f.id <= ?4 AND ${isUnchanged} GROUP BY r.function_id, bucket
        ) WHERE true
        ON CONFLICT (function_id, width, start) DO UPDATE SET ${addToTally("rollups")}`,
      )
      .bind(until, next, upto, last, ...expected),
    db
      .prepare(
        `INSERT INTO closed (resolution, until, next, upto) SELECT ?4, ?1, ?2, ?3 WHERE ${isUnchanged}
        ON CONFLICT (resolution) DO UPDATE SET until = excluded.until, next = excluded.next, upto = excluded.upto
        RETURNING until, next, upto`,
      )
      .bind(changed.until, changed.next, changed.upto, resolution, ...expected),
  ]);
  return advanced!.results[0] ?? null;
}

/** Where a new pass ends. It skips the time before the first finer rollup, so that a long pause costs no pass. */
async function endOfPass(db: D1Database, tier: Tier, until: number, target: number): Promise<number> {
  if (target - until <= PASS[tier]) return target;
  const first = await db
    .prepare(
      `SELECT min(first) AS first FROM (
        SELECT (
          SELECT min(r.start) FROM rollups AS r
          WHERE r.function_id = f.id AND r.width = ${TIERS[tier].finer} AND r.start >= ?1
        ) AS first FROM functions AS f
      )`,
    )
    .bind(until)
    .first<number | null>("first");
  if (first === null) return target;
  return Math.min(target, floorTo(first, TIERS[tier].resolution) + PASS[tier]);
}
