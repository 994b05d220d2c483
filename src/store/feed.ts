/** Reads what a sink has to send: the minutes that changed after its cursor, or the next rollups of its beginning. */
import type { SeriesSelector } from "../stats/series-id.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";

/** A row of the feed, as the place up to which a sink has everything. 0 and null before the first row. */
export interface FeedCursor {
  seq: number;
  flush: string | null;
}

/** From a time on (epoch seconds), a sink sends rollups of a resolution (seconds). */
export interface Segment {
  from: number;
  resolution: number;
}

/** The place of a rollup in the primary key. */
export interface Position {
  id: number;
  resolution: number;
  start: number;
}

/** A row for a sink. `histogram` is sparse JSON. */
export interface FeedRow {
  service: string;
  module: string;
  function: string;
  start: number;
  seconds: number;
  /** Empty, or the id of the flush whose late calls this row holds. */
  part: string;
  /** The version, without the sink's base. */
  seq: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumUs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: string;
}

export interface FeedDeletion {
  seq: number;
  selector: SeriesSelector;
}

/** D1 is not the one that the sink knows: it was restored to an earlier time, or replaced. */
export type Stranger = { status: "changed" };

export interface FeedPage {
  status: "page";
  /** The cursor after this page. */
  to: FeedCursor;
  /** The last `seq` of the feed. */
  head: number;
  rows: FeedRow[];
  /** Deletions that the feed has after `deletedTo`, also those after this page. */
  deletions: FeedDeletion[];
}

export interface BackfillPage {
  status: "page";
  rows: FeedRow[];
  /** Null after the last page. */
  position: Position | null;
}

interface SinkState {
  name: string;
  base: number;
  cursor: FeedCursor;
  segments: readonly Segment[];
}

const COLUMNS = `f.service, f.module, f.name AS function, r.start, r.width AS seconds, '' AS part,
  (SELECT coalesce(max(seq), 0) FROM feed) AS seq, r.calls, r.errors, r.unmeasured, r.sum_us AS sumUs, r.min_ms AS minMs,
  r.max_ms AS maxMs, r.histogram`;

/** ?1 is the cursor, ?2 the most keys. A page has one feed row at least. */
const PAGE = `page AS MATERIALIZED (
    SELECT seq, flush, keys, late FROM (
      SELECT seq, flush, keys, late, sum(size) OVER (ORDER BY seq) AS total, row_number() OVER (ORDER BY seq) AS place
      FROM (SELECT * FROM feed WHERE seq > ?1 ORDER BY seq LIMIT 100)
    ) WHERE total <= ?2 OR place = 1
  )`;

/** The changes after the cursor, with the state of their rows now, in one transaction. */
export async function readFeedPage(
  db: D1Database,
  { name, base, cursor, segments }: SinkState,
  deletedTo: number,
  limit: number,
): Promise<FeedPage | Stranger> {
  const resolution = resolutionAt("minute", segments);
  const [state, last, rows, late, deletions] = await db.batch<Record<string, unknown>>([
    stateOf(db, name, cursor),
    db.prepare(`WITH ${PAGE} SELECT seq, flush FROM page ORDER BY seq DESC LIMIT 1`).bind(cursor.seq, limit),
    // WARNING: CROSS JOIN makes SQLite look up each rollup by its primary key.
    db
      .prepare(
        `WITH ${PAGE},
        minutes AS (SELECT DISTINCT one.value ->> 0 AS id, one.value ->> 1 AS minute FROM page, json_each(page.keys) AS one),
        keys AS MATERIALIZED (
          SELECT DISTINCT id, width, minute / width * width AS start FROM (SELECT id, minute, ${resolution} AS width FROM minutes)
        )
        SELECT ${COLUMNS} FROM keys CROSS JOIN functions AS f ON f.id = keys.id
        CROSS JOIN rollups AS r ON r.function_id = keys.id AND r.width = keys.width AND r.start = keys.start`,
      )
      .bind(cursor.seq, limit),
    // Calls of a minute that is deleted, if the sink sends minutes of that time; and of an hour likewise.
    db
      .prepare(
        `WITH ${PAGE}
        SELECT service, module, name AS function, minute AS start, ${MINUTE} AS seconds, flush AS part, seq,
          value ->> 'calls' AS calls, value ->> 'errors' AS errors, value ->> 'unmeasured' AS unmeasured,
          value ->> 'sumUs' AS sumUs, value ->> 'minMs' AS minMs, value ->> 'maxMs' AS maxMs, value -> 'histogram' AS histogram
        FROM (
          SELECT page.seq, page.flush, one.value, one.value ->> 'service' AS service, one.value ->> 'module' AS module,
            one.value ->> 'function' AS name, one.value ->> 'minute' AS minute
          FROM page, json_each(page.late) AS one
        ) AS part WHERE (${resolution} = ${MINUTE}
          OR ${resolution} = ${HOUR} AND minute / ${HOUR} * ${HOUR} < (SELECT before FROM swept WHERE resolution = ${HOUR}))
        AND NOT EXISTS (
          SELECT 1 FROM feed AS d WHERE d.seq > part.seq AND d.deletion IS NOT NULL
            AND d.deletion ->> 'service' = part.service
            AND coalesce(d.deletion ->> 'module', part.module) = part.module
            AND coalesce(d.deletion ->> 'function', part.name) = part.name
        )`,
      )
      .bind(cursor.seq, limit),
    db
      .prepare("SELECT seq, deletion FROM feed WHERE seq > ?1 AND deletion IS NOT NULL ORDER BY seq")
      .bind(deletedTo),
  ]);
  if (!isKnown(state!.results[0], base, cursor)) return { status: "changed" };
  const to = (last!.results[0] as FeedCursor | undefined) ?? cursor;
  return {
    status: "page",
    to,
    head: Number(state!.results[0]!["head"] ?? 0),
    rows: [...(rows!.results as unknown as FeedRow[]), ...(late!.results as unknown as FeedRow[])],
    deletions: (deletions!.results as { seq: number; deletion: string }[]).map(({ seq, deletion }) => ({
      seq,
      selector: JSON.parse(deletion) as SeriesSelector,
    })),
  };
}

/**
 * The rollups after the position in the order of their primary key that start at `from` or later (epoch seconds), as far as the
 * segments want them. Looks at `limit` rollups, so a page may have fewer rows, or none, before the last page.
 */
export async function readBackfillPage(
  db: D1Database,
  { name, base, cursor, segments }: SinkState,
  { id, resolution, start }: Position,
  from: number,
  limit: number,
): Promise<BackfillPage | Stranger> {
  const scanned = (columns: string) => `SELECT ${columns} FROM rollups
    WHERE (function_id, width, start) > (?1, ?2, ?3) ORDER BY function_id, width, start LIMIT ?4`;
  const [state, rows, last] = await db.batch<Record<string, unknown>>([
    stateOf(db, name, cursor),
    db
      .prepare(
        `SELECT ${COLUMNS} FROM (${scanned("*")}) AS r CROSS JOIN functions AS f ON f.id = r.function_id
        WHERE r.start >= ?5 AND r.width = ${resolutionAt("r.start", segments)}`,
      )
      .bind(id, resolution, start, limit, from),
    db
      .prepare(
        `SELECT function_id AS id, width AS resolution, start FROM (${scanned("function_id, width, start")} OFFSET ?5)`,
      )
      .bind(id, resolution, start, 1, limit - 1),
  ]);
  if (!isKnown(state!.results[0], base, cursor)) return { status: "changed" };
  return {
    status: "page",
    rows: rows!.results as unknown as FeedRow[],
    position: (last!.results[0] as unknown as Position | undefined) ?? null,
  };
}

function stateOf(db: D1Database, name: string, cursor: FeedCursor): D1PreparedStatement {
  return db
    .prepare(
      `SELECT (SELECT base FROM sinks WHERE name = ?1) AS base, (SELECT flush FROM feed WHERE seq = ?2) AS flush,
        (SELECT max(seq) FROM feed) AS head`,
    )
    .bind(name, cursor.seq);
}

/** WARNING: a D1 that went back in time gives versions again that the store has for other rows. */
function isKnown(state: Record<string, unknown> | undefined, base: number, cursor: FeedCursor): boolean {
  return state!["base"] === base && state!["flush"] === cursor.flush;
}

/** SQL: the resolution in which a sink sends a time. The segments are in order of time. */
function resolutionAt(time: string, segments: readonly Segment[]): string {
  const cases = segments
    .toReversed()
    .map(({ from, resolution }) => `WHEN ${time} >= ${Math.trunc(from)} THEN ${Math.trunc(resolution)}`);
  return `CASE ${cases.join(" ")} ELSE ${DAY} END`;
}
