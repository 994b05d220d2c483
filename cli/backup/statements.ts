/**
 * The SQL that adds rows of a backup to a database. Each statement takes ?1 rows as one JSON array, ?2 the restore's
 * name in the ledger and ?3 the number of its chunk, and does nothing if the ledger knows that chunk.
 */
import { addToTally, TALLY_COLUMNS } from "../../src/store/tally-sql.ts";
import type { Query } from "../cloudflare/d1.ts";
import type { Row, Table } from "./format.ts";

const IS_NEW = "NOT EXISTS (SELECT 1 FROM flushes WHERE epoch = ?2 AND n = ?3)";

const TALLY = TALLY_COLUMNS.split(", ");

/** The columns that this version restores. A backup with others is of a newer version. */
export const COLUMNS = {
  epochs: ["epoch", "floor"],
  flushes: ["epoch", "n", "applied_at"],
  deletions: ["epoch", "n", "service", "module", "name"],
  functions: ["id", "service", "module", "name", ...TALLY, "first_seen", "last_seen"],
  rollups: ["function_id", "width", "start", ...TALLY],
  failures: ["function_id", "name", "message", "calls", "first_seen", "last_seen"],
} as const satisfies Record<Table, readonly string[]>;

const value = (column: string) => `row.value ->> '${column}'`;
const values = (columns: readonly string[]) => columns.map(value).join(", ");

const SEEN =
  "first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)";

// WARNING: CROSS JOIN, so that each row looks its function up. With a plain join the planner reads all functions for
// every row.
const WITH_FUNCTION = `json_each(?1) AS row CROSS JOIN functions AS f
  ON f.service = ${value("service")} AND f.module = ${value("module")} AND f.name = ${value("function")}`;

// WARNING: a function must not get the id of a deleted one, whose rollups may still be there.
const LAST_ID = `(SELECT max(
  coalesce((SELECT max(id) FROM functions), 0), coalesce((SELECT max(function_id) FROM deleted_functions), 0)))`;

const ADD: Record<Table, string> = {
  epochs: `INSERT INTO epochs (epoch, floor) SELECT ${values(COLUMNS.epochs)} FROM json_each(?1) AS row WHERE ${IS_NEW}
    ON CONFLICT (epoch) DO UPDATE SET floor = max(floor, excluded.floor)`,
  flushes: `INSERT INTO flushes (epoch, n, applied_at) SELECT ${values(COLUMNS.flushes)} FROM json_each(?1) AS row
    WHERE ${IS_NEW} ON CONFLICT (epoch, n) DO NOTHING`,
  deletions: `INSERT INTO deletions (${COLUMNS.deletions.join(", ")}) SELECT ${values(COLUMNS.deletions)}
    FROM json_each(?1) AS row WHERE ${IS_NEW} ON CONFLICT (epoch, n) DO NOTHING`,
  functions: `INSERT INTO functions (${COLUMNS.functions.join(", ")})
    SELECT ${LAST_ID} + row_number() OVER (), ${values(COLUMNS.functions.slice(1))} FROM json_each(?1) AS row WHERE ${IS_NEW}
    ON CONFLICT (service, module, name) DO UPDATE SET ${addToTally("functions")}, ${SEEN}`,
  // WARNING: the rollup of a closed hour or day includes the finer ones, so what is restored under it is added to it as well.
  rollups: `WITH restored AS (
      SELECT f.id AS function_id, ${COLUMNS.rollups
        .slice(1)
        .map((column) => `${value(column)} AS ${column}`)
        .join(", ")}
      FROM ${WITH_FUNCTION} WHERE ${IS_NEW}
    )
    INSERT INTO rollups (${COLUMNS.rollups.join(", ")})
    SELECT ${COLUMNS.rollups.join(", ")} FROM restored
    UNION ALL
    SELECT r.function_id, c.resolution, r.start / c.resolution * c.resolution, ${TALLY.map((column) => `r.${column}`).join(", ")}
    FROM restored AS r CROSS JOIN closed AS c
    WHERE c.resolution > r.width
      AND r.start / c.resolution * c.resolution < iif(r.function_id <= c.upto, c.next, c.until)
    ON CONFLICT (function_id, width, start) DO UPDATE SET ${addToTally("rollups")}`,
  failures: `INSERT INTO failures (${COLUMNS.failures.join(", ")})
    SELECT f.id, ${["failure", "message", "calls", "first_seen", "last_seen"].map(value).join(", ")}
    FROM ${WITH_FUNCTION} WHERE ${IS_NEW}
    ON CONFLICT (function_id, name, message) DO UPDATE SET calls = calls + excluded.calls, ${SEEN}`,
};

const ENTER = `INSERT INTO flushes (epoch, n, applied_at) SELECT ?2, ?3, ?1 WHERE ${IS_NEW}`;

/** One transaction: the rows of one table, and the ledger's entry that makes them count once. */
export function addChunk(table: Table, rows: readonly Row[], restore: string, n: number): Query[] {
  return [
    { sql: ADD[table], params: [JSON.stringify(rows), restore, n] },
    { sql: ENTER, params: [Date.now(), restore, n] },
  ];
}
