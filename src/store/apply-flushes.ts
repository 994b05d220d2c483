/**
 * Writes flushes into D1, each exactly once. A flush's rows depend on the ledger not knowing it, its ledger entry
 * comes last, and all of it is one transaction: a second delivery finds the entry and writes nothing.
 */
import { type Delta, seenFailuresOf } from "../stats/delta.ts";
import { failureKey, mergeFailures, type SeenFailure } from "../stats/failures.ts";
import { toHistogram } from "../stats/histogram.ts";
import { idOf, type SeriesId, seriesKey } from "../stats/series-id.ts";
import { sumBySeries, type Tally } from "../stats/sums.ts";

export interface Flush {
  epoch: string;
  n: number;
  deltas: readonly Delta[];
}

/** Different failures that are kept of one function. Further ones count as `OTHER_FAILURES`. */
export const MAX_FAILURES = 100;
export const OTHER_FAILURES = "other";

/** Idempotent. All of them or none; where the outcome is not known, apply them again. */
export async function applyFlushes(db: D1Database, flushes: readonly Flush[]): Promise<void> {
  const now = Date.now();
  await db.batch(flushes.flatMap((flush) => statementsOf(db, flush, now)));
}

// In every statement ?1 is the flush's rows as one JSON array, ?2 its epoch and ?3 its n.
const IS_NEW = `NOT EXISTS (SELECT 1 FROM flushes WHERE epoch = ?2 AND n = ?3)
    AND NOT EXISTS (SELECT 1 FROM epochs WHERE epoch = ?2 AND floor > ?3)`;

/**
 * The sum of whole numbers for JSON. Exact below 2^53, approximate above; never sum(), which past 2^63 fails, and with
 * it all that is in the transaction, again and again.
 */
export const totalOf = (column: string) => `cast(total(${column}) AS INTEGER)`;

/** Adds one tally to another: what both `functions` and `rollups` do with a row they already have. */
export const mergeInto = (table: string) => `
    calls = calls + excluded.calls,
    errors = errors + excluded.errors,
    unmeasured = unmeasured + excluded.unmeasured,
    sum_us = sum_us + excluded.sum_us,
    min_ms = coalesce(min(min_ms, excluded.min_ms), min_ms, excluded.min_ms),
    max_ms = coalesce(max(max_ms, excluded.max_ms), max_ms, excluded.max_ms),
    histogram = (
      SELECT json_group_object(key, calls) FROM (
        SELECT key, ${totalOf("value")} AS calls FROM (
          SELECT key, value FROM json_each(${table}.histogram)
          UNION ALL SELECT key, value FROM json_each(excluded.histogram)
        ) GROUP BY key
      )
    )`;

export const TALLY_COLUMNS = "calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram";
const TALLY_VALUES = `row.value ->> 'calls', row.value ->> 'errors', row.value ->> 'unmeasured', row.value ->> 'sumUs',
    row.value ->> 'minMs', row.value ->> 'maxMs', row.value -> 'histogram'`;

const ADD_TO_TOTALS = `
  INSERT INTO functions (service, module, name, ${TALLY_COLUMNS}, first_seen, last_seen)
  SELECT row.value ->> 'service', row.value ->> 'module', row.value ->> 'function', ${TALLY_VALUES},
    row.value ->> 'firstSeen', row.value ->> 'lastSeen'
  FROM json_each(?1) AS row WHERE ${IS_NEW}
  ON CONFLICT (service, module, name) DO UPDATE SET ${mergeInto("functions")},
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen)`;

// WARNING: CROSS JOIN, so that each element looks its function up. With a plain join the planner reads all
// functions for every element.
const EACH_WITH_ITS_FUNCTION = `json_each(?1) AS row CROSS JOIN functions AS f
    ON f.service = row.value ->> 'service' AND f.module = row.value ->> 'module' AND f.name = row.value ->> 'function'`;

const ADD_TO_ROLLUPS = `
  INSERT INTO rollups (function_id, width, start, ${TALLY_COLUMNS})
  SELECT f.id, 60, row.value ->> 'minute', ${TALLY_VALUES}
  FROM ${EACH_WITH_ITS_FUNCTION} WHERE ${IS_NEW}
  ON CONFLICT (function_id, width, start) DO UPDATE SET ${mergeInto("rollups")}`;

const ADD_TO_FAILURES = `
  WITH incoming AS (
    SELECT f.id AS function_id, row.value ->> 'name' AS name, row.value ->> 'message' AS message,
      row.value ->> 'calls' AS calls, row.value ->> 'firstSeen' AS first_seen, row.value ->> 'lastSeen' AS last_seen
    FROM ${EACH_WITH_ITS_FUNCTION} WHERE ${IS_NEW}
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
    SELECT marked.*, is_known OR ${MAX_FAILURES} >= coalesce(kept.kinds, 0)
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

const ENTER_INTO_LEDGER = `
  INSERT INTO flushes (epoch, n, applied_at) SELECT ?2, ?3, ?1 WHERE ${IS_NEW}`;

function statementsOf(db: D1Database, { epoch, n, deltas }: Flush, now: number): D1PreparedStatement[] {
  const run = (sql: string, rows: unknown) => db.prepare(sql).bind(rows, epoch, n);
  const failures = failuresOf(deltas);
  return [
    run(ADD_TO_TOTALS, JSON.stringify(sumBySeries(deltas).map(asStored))),
    run(ADD_TO_ROLLUPS, JSON.stringify(deltas.map(asStored))),
    ...(failures.length > 0 ? [run(ADD_TO_FAILURES, JSON.stringify(failures))] : []),
    run(ENTER_INTO_LEDGER, now),
  ];
}

/** With its histogram as columns have it, and without what they have not. */
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
