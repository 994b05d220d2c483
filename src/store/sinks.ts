/** Which sinks follow the feed, and from when on. */
import type { FeedCursor } from "./feed.ts";
import { openFrom } from "./closed.ts";
import type { closed } from "./schema.ts";

/** Where a new sink begins. Times are epoch seconds. */
export interface Beginning {
  /** The feed row after which the sink must follow the feed. */
  cursor: FeedCursor;
  /** When the open hours and the open days begin. */
  open: { hours: number; days: number };
}

/** Enters a sink, or gives it another base. From then on every flush writes to the feed. Idempotent. */
export async function enterSink(db: D1Database, name: string, base: number): Promise<Beginning> {
  const [, head, tiers] = await db.batch([
    db
      .prepare(
        "INSERT INTO sinks (name, base) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET base = excluded.base",
      )
      .bind(name, base),
    db.prepare("SELECT seq, flush FROM feed ORDER BY seq DESC LIMIT 1"),
    db.prepare("SELECT resolution, until, next, upto FROM closed"),
  ]);
  return {
    cursor: (head!.results[0] as FeedCursor | undefined) ?? { seq: 0, flush: null },
    open: openFrom(tiers!.results as (typeof closed.$inferSelect)[]),
  };
}

/** Removes a sink, and everything that only sinks need if it was the last. Idempotent. */
export async function removeSink(db: D1Database, name: string): Promise<void> {
  await db.batch([
    db.prepare("DELETE FROM sinks WHERE name = ?1").bind(name),
    db.prepare("DELETE FROM feed WHERE NOT EXISTS (SELECT 1 FROM sinks)"),
    db.prepare("DELETE FROM swept WHERE NOT EXISTS (SELECT 1 FROM sinks)"),
  ]);
}

export async function readSinkNames(db: D1Database): Promise<string[]> {
  const { results } = await db.prepare("SELECT name FROM sinks ORDER BY name").all<{ name: string }>();
  return results.map(({ name }) => name);
}

/** What waits in the feed after a cursor. */
export interface Waiting {
  /** Minutes that changed. A minute that changed in two flushes counts twice. */
  rows: number;
  /** When the first of these flushes was applied, in epoch seconds. Null if none waits. */
  since: number | null;
  /** The first minute that changed and is not deleted, in epoch seconds. Null if none waits. */
  oldest: number | null;
}

/** What waits after each of the cursors, in their order. */
export async function readWaiting(db: D1Database, seqs: readonly number[]): Promise<Waiting[]> {
  if (seqs.length === 0) return [];
  const { results } = await db
    .prepare(
      `SELECT coalesce(sum(feed.size), 0) AS "rows", min(feed.at) AS since, min(feed.oldest) AS oldest
       FROM json_each(?1) AS cursor LEFT JOIN feed ON feed.seq > cursor.value GROUP BY cursor.key ORDER BY cursor.key`,
    )
    .bind(JSON.stringify(seqs))
    .all<Waiting & Record<string, unknown>>();
  return results;
}

/**
 * Notes until when minutes and hours may be deleted (epoch seconds). From then on no flush makes them again.
 *
 * WARNING: what is noted must be closed, or nothing would take the calls of a late flush.
 *
 * @returns what is noted, which is what may be deleted
 */
export async function sweepBefore(
  db: D1Database,
  limits: { minutes: number; hours: number },
): Promise<{ minutes: number; hours: number }> {
  const [, noted] = await db.batch<{ finer: number; before: number }>([
    db
      .prepare(
        `INSERT INTO swept (resolution, before)
         SELECT tier.value ->> 0, min(tier.value ->> 2, closed.until) FROM json_each(?1) AS tier
         JOIN closed ON closed.resolution = tier.value ->> 1 WHERE true
         ON CONFLICT (resolution) DO UPDATE SET before = excluded.before WHERE excluded.before > before`,
      )
      .bind(
        JSON.stringify([
          [60, 3_600, limits.minutes],
          [3_600, 86_400, limits.hours],
        ]),
      ),
    db.prepare("SELECT resolution AS finer, before FROM swept"),
  ]);
  const before = (finer: number, limit: number) =>
    Math.min(limit, noted!.results.find((row) => row.finer === finer)?.before ?? 0);
  return { minutes: before(60, limits.minutes), hours: before(3_600, limits.hours) };
}

/** Deletes feed rows that every sink has passed. The newest stays, and so do those at a cursor. */
export async function pruneFeed(
  db: D1Database,
  lowest: { cursor: number; deletedTo: number },
): Promise<void> {
  await db
    .prepare(
      `DELETE FROM feed WHERE seq < ?1 AND (deletion IS NULL OR seq <= ?2) AND seq < (SELECT max(seq) FROM feed)`,
    )
    .bind(lowest.cursor, lowest.deletedTo)
    .run();
}
