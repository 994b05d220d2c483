/** SQL that adds up tallies. Shared by all statements that write `functions` and `rollups`, also by those of `cli/backup/`. */

/** The columns of a tally. */
export const TALLY_COLUMNS = "calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram";

/** The values of those columns, from a row that `json_each` read. */
export const TALLY_VALUES = `row.value ->> 'calls', row.value ->> 'errors', row.value ->> 'unmeasured', row.value ->> 'sumUs',
    row.value ->> 'minMs', row.value ->> 'maxMs', row.value -> 'histogram'`;

/**
 * Sums whole numbers for JSON. Exact below 2^53, approximate above.
 *
 * WARNING: do not use sum(). It fails above 2^63 and takes the whole transaction with it, at every attempt.
 */
export const totalOf = (column: string) => `cast(total(${column}) AS INTEGER)`;

/** For `DO UPDATE SET`: adds the tally that was to be inserted to the one in the table. */
export const addToTally = (table: "functions" | "rollups") => `
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
