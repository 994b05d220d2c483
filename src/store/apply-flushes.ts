/**
 * Applies flushes to D1, each once. The ledger records which flushes were applied. Every statement for a flush writes nothing
 * if the ledger knows the flush. The ledger entry is the last statement, and all statements are one transaction.
 */
import type { Flush } from "../flush.ts";
import { type Delta, seenFailuresOf } from "../stats/delta.ts";
import { failureKey, mergeFailures, type SeenFailure } from "../stats/failures.ts";
import { toHistogram } from "../stats/histogram.ts";
import { idOf, type SeriesId, seriesKey } from "../stats/series-id.ts";
import { sumBySeries, type Tally } from "../stats/sums.ts";
import { MINUTE } from "../stats/tiers.ts";
import { storeLimits } from "./limits.ts";
import { addToTally, TALLY_COLUMNS, TALLY_VALUES } from "./tally-sql.ts";

/** Name under which failures above `storeLimits.failuresPerFunction` count together. */
export const OTHER_FAILURES = "other";

export type AppliedFlush = Pick<Flush, "epoch" | "n" | "deltas" | "after" | "deletion">;

/**
 * Applies all flushes or none. Idempotent: a flush that D1 has is skipped. After an error the outcome is unknown; call again.
 *
 * @returns the flushes that D1 does not take yet, because it lacks the deletion that they must come `after`, and the names of
 * the sinks that now have something to send
 * @throws if D1 does not commit, or if its answer is lost
 */
export async function applyFlushes<Applied extends AppliedFlush>(
  db: D1Database,
  flushes: readonly Applied[],
): Promise<{ premature: Applied[]; sinks: string[] }> {
  const now = Date.now();
  const ordered = flushes.filter(({ after }) => after !== undefined);
  const [sinks, ...outcomes] = await db.batch<{ known: number } & { name: string }>([
    db.prepare("SELECT name FROM sinks"),
    ...flushes.flatMap((flush) => statementsOf(db, flush, now)),
    ...ordered.map(({ epoch, n }) => db.prepare(IS_KNOWN).bind(epoch, n)),
  ]);
  const known = outcomes.slice(outcomes.length - ordered.length);
  return {
    premature: ordered.filter((_, i) => known[i]!.results[0]!.known === 0),
    sinks: sinks!.results.map(({ name }) => name),
  };
}

const IS_KNOWN = `SELECT EXISTS (SELECT 1 FROM flushes WHERE epoch = ?1 AND n = ?2)
  OR EXISTS (SELECT 1 FROM epochs WHERE epoch = ?1 AND floor > ?2) AS known`;

// In every statement ?1 is the flush's rows as one JSON array, ?2 its epoch, ?3 its n and ?4 its `after`, or null.
//
// WARNING: a flush must wait for the deletion that it comes after. D1 lacks a confirmed deletion only if it was restored to an
// earlier time. The deletion comes again then, and would delete the calls of this flush.
const IS_NEW = `NOT EXISTS (SELECT 1 FROM flushes WHERE epoch = ?2 AND n = ?3)
    AND NOT EXISTS (SELECT 1 FROM epochs WHERE epoch = ?2 AND floor > ?3)
    AND (?4 IS NULL OR EXISTS (SELECT 1 FROM flushes WHERE epoch = ?2 AND n = ?4)
      OR EXISTS (SELECT 1 FROM epochs WHERE epoch = ?2 AND floor > ?4))`;

// A row counts unless a later deletion of its epoch has deleted its series.
const IS_KEPT = `NOT EXISTS (
    SELECT 1 FROM deletions AS d WHERE d.epoch = ?2 AND d.n > ?3 AND d.service = row.value ->> 'service'
      AND coalesce(d.module, row.value ->> 'module') = row.value ->> 'module'
      AND coalesce(d.name, row.value ->> 'function') = row.value ->> 'function'
  )`;

// WARNING: a new function must not get the id of a deleted one, whose rollups may still be there.
const LAST_ID = `(SELECT max(
    coalesce((SELECT max(id) FROM functions), 0),
    coalesce((SELECT max(function_id) FROM deleted_functions), 0)
  ))`;

const ADD_TO_TOTALS = `
  INSERT INTO functions (id, service, module, name, ${TALLY_COLUMNS}, first_seen, last_seen)
  SELECT ${LAST_ID} + row_number() OVER (), row.value ->> 'service', row.value ->> 'module', row.value ->> 'function', ${TALLY_VALUES},
    row.value ->> 'firstSeen', row.value ->> 'lastSeen'
  FROM json_each(?1) AS row WHERE ${IS_NEW} AND ${IS_KEPT}
  ON CONFLICT (service, module, name) DO UPDATE SET ${addToTally("functions")},
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen)`;

// WARNING: CROSS JOIN makes SQLite look up the function of each row. With a plain join the planner reads all functions for
// every row.
const ROWS_WITH_FUNCTIONS = `json_each(?1) AS row CROSS JOIN functions AS f
    ON f.service = row.value ->> 'service' AND f.module = row.value ->> 'module' AND f.name = row.value ->> 'function'`;

const START = `(row.value ->> 'minute') / w.width * w.width`;

/** SQL: before when rollups of this resolution are deleted for good. */
const sweptBefore = (resolution: string | number) =>
  `coalesce((SELECT before FROM swept WHERE resolution = ${resolution}), 0)`;

// WARNING: the rollup of a closed hour or day stands for its minutes in reads. Calls that come late are added to it as well.
// A minute that is swept is not made again: sinks would take it for the whole minute.
const ADD_TO_ROLLUPS = `
  WITH widths (width, until, next, upto) AS (
    SELECT ${MINUTE}, ${Number.MAX_SAFE_INTEGER}, 0, 0 UNION ALL SELECT resolution, until, next, upto FROM closed
  )
  INSERT INTO rollups (function_id, width, start, ${TALLY_COLUMNS})
  SELECT f.id, w.width, ${START}, ${TALLY_VALUES}
  FROM ${ROWS_WITH_FUNCTIONS} CROSS JOIN widths AS w
  WHERE ${START} < iif(f.id <= w.upto, w.next, w.until) AND ${START} >= ${sweptBefore("w.width")} AND ${IS_NEW} AND ${IS_KEPT}
  ON CONFLICT (function_id, width, start) DO UPDATE SET ${addToTally("rollups")}`;

// Known failures count under their own names. New ones do too while there are fewer than the limit, the most frequent first.
const ADD_TO_FAILURES = `
  WITH incoming AS (
    SELECT f.id AS function_id, row.value ->> 'name' AS name, row.value ->> 'message' AS message,
      row.value ->> 'calls' AS calls, row.value ->> 'firstSeen' AS first_seen, row.value ->> 'lastSeen' AS last_seen
    FROM ${ROWS_WITH_FUNCTIONS} WHERE ${IS_NEW} AND ${IS_KEPT}
  ),
  kept AS (
    SELECT function_id, count(*) AS kinds FROM failures
    WHERE function_id IN (SELECT function_id FROM incoming) GROUP BY function_id
  ),
  marked AS (
    SELECT incoming.*, EXISTS (
      SELECT 1 FROM failures AS known
      WHERE known.function_id = incoming.function_id AND known.name = incoming.name AND known.message = incoming.message
    ) AS is_known FROM incoming
  ),
  placed AS (
    SELECT marked.*, is_known OR ${storeLimits.failuresPerFunction} >= coalesce(kept.kinds, 0)
      + row_number() OVER (PARTITION BY function_id, is_known ORDER BY calls DESC, name, message) AS has_place
    FROM marked LEFT JOIN kept USING (function_id)
  )
  INSERT INTO failures (function_id, name, message, calls, first_seen, last_seen)
  SELECT function_id, iif(has_place, name, '${OTHER_FAILURES}') AS name, iif(has_place, message, '') AS message,
    total(calls), min(first_seen), max(last_seen)
  FROM placed WHERE true GROUP BY 1, 2, 3
  ON CONFLICT (function_id, name, message) DO UPDATE SET
    calls = calls + excluded.calls,
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen)`;

// Without a sink these two read and write nothing, because `sinks` is the outermost table.
const ADD_TO_FEED = `
  INSERT INTO feed (flush, at, oldest, size, keys, late)
  SELECT ?2 || ':' || cast(?3 AS INTEGER), unixepoch(), min(iif(is_swept, NULL, minute)), count(*), json_group_array(json_array(id, minute)),
    nullif(json_group_array(json(delta)) FILTER (WHERE is_swept), '[]')
  FROM (
    SELECT f.id, row.value ->> 'minute' AS minute, row.value AS delta, row.value ->> 'minute' < swept.before AS is_swept
    FROM (SELECT 1 FROM sinks LIMIT 1) CROSS JOIN (SELECT ${sweptBefore(MINUTE)} AS before) AS swept
    CROSS JOIN ${ROWS_WITH_FUNCTIONS} WHERE ${IS_NEW} AND ${IS_KEPT}
  ) HAVING count(*) > 0`;
const ADD_DELETION_TO_FEED = `
  INSERT INTO feed (flush, at, size, keys, deletion)
  SELECT ?2 || ':' || cast(?3 AS INTEGER), unixepoch(), 0, '[]', ?1 FROM sinks WHERE ${IS_NEW} LIMIT 1`;

const ENTER_INTO_LEDGER = `
  INSERT INTO flushes (epoch, n, applied_at) SELECT ?2, ?3, ?1 WHERE ${IS_NEW}`;

// Here ?1 is the selector as JSON. Rollups and failures of the functions stay until the retention job deletes them in small
// transactions. No read finds them, because their function is gone.
const IS_DELETED = `service = ?1 ->> 'service' AND module = coalesce(?1 ->> 'module', module)
    AND name = coalesce(?1 ->> 'function', name)`;
const DELETE = [
  `INSERT INTO deleted_functions (function_id) SELECT id FROM functions WHERE ${IS_DELETED} AND ${IS_NEW}`,
  `DELETE FROM functions WHERE ${IS_DELETED} AND ${IS_NEW}`,
  `INSERT INTO deletions (epoch, n, service, module, name)
   SELECT ?2, ?3, ?1 ->> 'service', ?1 ->> 'module', ?1 ->> 'function' WHERE ${IS_NEW}`,
];

function statementsOf(
  db: D1Database,
  {
    epoch,
    n,
    deltas,
    after = null,
    deletion,
  }: Omit<AppliedFlush, "after"> & { after?: number | null | undefined },
  now: number,
): D1PreparedStatement[] {
  const run = (sql: string, rows: unknown) => db.prepare(sql).bind(rows, epoch, n, after);
  if (deletion) {
    const selector = JSON.stringify(deletion);
    return [
      ...[...DELETE, ADD_DELETION_TO_FEED].map((sql) => run(sql, selector)),
      run(ENTER_INTO_LEDGER, now),
    ];
  }
  const failures = failuresOf(deltas);
  const rows = JSON.stringify(deltas.map(asStored));
  return [
    run(ADD_TO_TOTALS, JSON.stringify(sumBySeries(deltas).map(asStored))),
    run(ADD_TO_ROLLUPS, rows),
    run(ADD_TO_FEED, rows),
    ...(failures.length > 0 ? [run(ADD_TO_FAILURES, JSON.stringify(failures))] : []),
    run(ENTER_INTO_LEDGER, now),
  ];
}

/** Returns the tally with its histogram in the form that D1 stores. */
function asStored<T extends Tally>({ buckets, ...others }: T) {
  return { ...others, histogram: toHistogram(buckets) };
}

/** Each failure of each series once. */
function failuresOf(deltas: readonly Delta[]): (SeriesId & SeenFailure)[] {
  const all = deltas.flatMap((delta) =>
    seenFailuresOf(delta).map((failure) => ({ ...idOf(delta), ...failure })),
  );
  return mergeFailures(all, (failure) => `${seriesKey(failure)}\n${failureKey(failure)}`);
}
