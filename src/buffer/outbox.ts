/**
 * The outbox: sealed flushes that D1 has not confirmed. A flush stays in the outbox, and is sent again and again, until it is
 * confirmed.
 */
import { byteLength } from "../byte-length.ts";
import { parseDeltas } from "../stats/delta.ts";
import { isSelected, type SeriesSelector } from "../stats/series-id.ts";
import type { BufferLimits } from "./limits.ts";
import { type Page, takePage } from "./page.ts";

/** How long the outbox waits for a confirmation before it sends again, in milliseconds. The wait doubles, up to the longest. */
const FIRST_RESEND_MS = 30_000;
const LONGEST_RESEND_MS = 60 * 60 * 1000;

export interface SealedFlush {
  n: number;
  /** The version of the code that sealed the flush, as in `src/flush.ts`. */
  version: number;
  /** A JSON array of `Delta`. */
  deltas: string;
  /** Series that the flush deletes, as in `src/flush.ts`. */
  deletion?: SeriesSelector | undefined;
}

/** A flush that D1 keeps refusing. Times are epoch milliseconds. */
export interface DeadLetter {
  epoch: string;
  n: number;
  reason: string;
  sealedAt: number;
  nextTryAt: number;
  /** How often it was sent. */
  attempts: number;
  bytes: number;
}

/** Counts over the outbox. Times are epoch milliseconds and null if the outbox is empty. */
export interface OutboxSummary {
  /** All flushes, including dead letters. */
  unconfirmed: number;
  dead: number;
  /** Flushes that delete series. */
  deletions: number;
  /** Flushes without dead letters: D1 should confirm these soon. */
  onTheWay: number;
  bytes: number;
  lowest: number | null;
  oldestSealedAt: number | null;
  /** When the next flush must be sent again. */
  nextDue: number | null;
}

export class Outbox {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  /** Cached, because every batch reads it and only flushes change it. Undefined if it must be read again. */
  #summary: OutboxSummary | undefined;

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      n INTEGER PRIMARY KEY,
      sealed_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      due INTEGER NOT NULL, -- when it is sent again
      dead_reason TEXT,     -- why D1 refuses it; null if that is not known
      bytes INTEGER NOT NULL,
      deltas TEXT NOT NULL,
      version INTEGER NOT NULL DEFAULT 0, -- of the code that sealed it
      deletion TEXT -- which series it deletes, as JSON; null if none
    )`);
    this.#addColumnsToOlderTable();
  }

  /** Adds a flush that is about to be sent for the first time. */
  add({ n, version, deltas, deletion }: SealedFlush, now: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "INSERT INTO outbox (n, sealed_at, attempts, due, bytes, deltas, version, deletion) VALUES (?, ?, 1, ?, ?, ?, ?, ?)",
      n,
      now,
      now + FIRST_RESEND_MS,
      byteLength(deltas),
      deltas,
      version,
      deletion === undefined ? null : JSON.stringify(deletion),
    );
  }

  /** Returns flushes that are due, up to a limit, and sets when they are sent next. Flushes above the limit stay due. */
  takeDue(now: number): SealedFlush[] {
    this.#summary = undefined;
    const due = this.#sql
      .exec<{
        n: number;
        version: number;
        deltas: string;
        deletion: string | null;
        attempts: number;
        dead_reason: string | null;
      }>(
        `SELECT n, version, deltas, deletion, attempts, dead_reason FROM outbox WHERE due <= ?
         ORDER BY due, n LIMIT ?`,
        now,
        this.#limits.unconfirmedFlushes,
      )
      .toArray();
    for (const { n, attempts, dead_reason } of due) {
      const wait = dead_reason === null ? FIRST_RESEND_MS * 2 ** attempts : LONGEST_RESEND_MS;
      this.#sql.exec(
        "UPDATE outbox SET attempts = attempts + 1, due = ? WHERE n = ?",
        now + Math.min(wait, LONGEST_RESEND_MS),
        n,
      );
    }
    return due.map(({ n, version, deltas, deletion }) => ({
      n,
      version,
      deltas,
      ...parseDeletion(deletion),
    }));
  }

  /**
   * Removes the deltas of the selected series from every flush. Copies in the queue still have them, and D1 ignores these
   * because of the deletion.
   */
  removeSeries(selector: SeriesSelector): void {
    this.#summary = undefined;
    const rows = this.#sql.exec<{ n: number; deltas: string }>("SELECT n, deltas FROM outbox").toArray();
    for (const { n, deltas } of rows) {
      const all = parseDeltas(deltas);
      const kept = all.filter((delta) => !isSelected(selector, delta));
      if (kept.length === all.length) continue;
      const text = JSON.stringify(kept);
      this.#sql.exec("UPDATE outbox SET deltas = ?, bytes = ? WHERE n = ?", text, byteLength(text), n);
    }
  }

  /** Deletes confirmed flushes. Ignores ids that are not in the outbox. */
  remove(ns: readonly number[]): void {
    this.#summary = undefined;
    for (const n of ns) this.#sql.exec("DELETE FROM outbox WHERE n = ?", n);
  }

  /** Makes a flush a dead letter. Does nothing if the flush was confirmed before. */
  markDead(n: number, reason: string, now: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "UPDATE outbox SET dead_reason = ?, due = ? WHERE n = ?",
      reason,
      now + LONGEST_RESEND_MS,
      n,
    );
  }

  /** Makes a dead letter due now. False if there is no dead letter with that id. */
  replay(n: number, now: number): boolean {
    this.#summary = undefined;
    return (
      this.#sql.exec("UPDATE outbox SET due = ? WHERE n = ? AND dead_reason IS NOT NULL", now, n)
        .rowsWritten > 0
    );
  }

  /** The dead letters, oldest first. */
  deadLetters(): Omit<DeadLetter, "epoch">[] {
    return this.#sql
      .exec<{
        n: number;
        reason: string;
        sealedAt: number;
        nextTryAt: number;
        attempts: number;
        bytes: number;
      }>(
        `SELECT n, dead_reason AS reason, sealed_at AS sealedAt, due AS nextTryAt, attempts, bytes
         FROM outbox WHERE dead_reason IS NOT NULL ORDER BY n`,
      )
      .toArray();
  }

  /** The deltas of a dead letter, as a JSON array of `Delta`. A deletion has none: it cannot be dropped. */
  deadDeltas(n: number): string | undefined {
    return this.#sql
      .exec<{ deltas: string }>(
        "SELECT deltas FROM outbox WHERE n = ? AND dead_reason IS NOT NULL AND deletion IS NULL",
        n,
      )
      .toArray()[0]?.deltas;
  }

  get summary(): OutboxSummary {
    return (this.#summary ??= this.#sql
      .exec<OutboxSummary & Record<string, number | null>>(
        `SELECT count(*) AS unconfirmed, count(dead_reason) AS dead, count(*) - count(dead_reason) AS onTheWay,
           count(deletion) AS deletions,
           coalesce(sum(bytes), 0) AS bytes, min(n) AS lowest, min(sealed_at) AS oldestSealedAt, min(due) AS nextDue
         FROM outbox`,
      )
      .one());
  }

  /** The flushes after the one given, in order of their ids, up to a size in bytes. */
  page(afterN: number, bytes: number): Page<Omit<SealedFlush, "version">> {
    const sizes = this.#sql
      .exec<{ key: number; bytes: number }>(
        "SELECT n AS key, bytes FROM outbox WHERE n > ? ORDER BY n",
        afterN,
      )
      .toArray();
    return takePage(sizes, bytes, (lastN) =>
      this.#sql
        .exec<{ n: number; deltas: string; deletion: string | null }>(
          "SELECT n, deltas, deletion FROM outbox WHERE n > ? AND n <= ? ORDER BY n",
          afterN,
          lastN,
        )
        .toArray()
        .map(({ deletion, ...flush }) => ({ ...flush, ...parseDeletion(deletion) })),
    );
  }

  /** An object that an older release created has a table without these columns. Its flushes get version 0. */
  #addColumnsToOlderTable(): void {
    const present = this.#sql
      .exec<{ name: string }>("SELECT name FROM pragma_table_info('outbox')")
      .toArray();
    const has = (column: string) => present.some(({ name }) => name === column);
    if (!has("version")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN version INTEGER NOT NULL DEFAULT 0");
    if (!has("deletion")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN deletion TEXT");
  }
}

function parseDeletion(text: string | null): Pick<SealedFlush, "deletion"> {
  return text === null ? {} : { deletion: JSON.parse(text) as SeriesSelector };
}
