/**
 * The outbox: sealed flushes. A flush is sent again and again until D1 has confirmed it. After that it is kept for a while
 * (`kept-flushes.ts`), in the same table and with a mark. Only `removeSeries` and `deletionBefore` look at kept flushes.
 */
import { byteLength } from "../byte-length.ts";
import type { FlushRange } from "../flush.ts";
import { parseDeltas } from "../stats/delta.ts";
import { isSelected, type SeriesSelector } from "../stats/series-id.ts";
import { KeptFlushes } from "./kept-flushes.ts";
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

/** A flush that is due to be sent. `after` is as in `src/flush.ts`. */
export interface DueFlush extends SealedFlush {
  after?: number | undefined;
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

/** Counts over the unconfirmed flushes. Times are epoch milliseconds and null if there is none. */
export interface OutboxSummary {
  /** All of them, including dead letters. */
  unconfirmed: number;
  dead: number;
  /** Flushes that delete series. */
  deletions: number;
  /** Flushes without dead letters: D1 should confirm these soon. */
  onTheWay: number;
  bytes: number;
  lowest: number | null;
  /** Since when the oldest waits for a confirmation. */
  oldestAt: number | null;
  /** When the next flush must be sent again. */
  nextDue: number | null;
}

/** Flushes that D1 had confirmed and lacks, and that the outbox still has. */
export interface Recalled {
  flushes: number;
  /** When the oldest of them was sealed, in epoch milliseconds; null if there is none. */
  since: number | null;
}

export class Outbox {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  readonly #kept: KeptFlushes;
  /** Cached, because every batch reads it and only flushes change it. Undefined if it must be read again. */
  #summary: OutboxSummary | undefined;
  /** No flush below this id is unconfirmed, so that queries skip the kept ones. */
  #from = 0;
  /** The ids of all deletions in the table. Undefined if they must be read again. */
  #deletions: number[] | undefined;

  /** `keepMs` reads for how long confirmed flushes are kept. */
  constructor(sql: SqlStorage, limits: BufferLimits, keepMs: () => number) {
    this.#sql = sql;
    this.#limits = limits;
    this.#kept = new KeptFlushes(sql, limits, keepMs);
    sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      n INTEGER PRIMARY KEY,
      sealed_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      due INTEGER NOT NULL, -- when it is sent again
      dead_reason TEXT,     -- why D1 refuses it; null if that is not known
      bytes INTEGER NOT NULL,
      deltas TEXT NOT NULL,
      version INTEGER NOT NULL DEFAULT 0, -- of the code that sealed it
      deletion TEXT, -- which series it deletes, as JSON; null if none
      kept_at INTEGER, -- when it was confirmed; null if it is unconfirmed
      recalled_at INTEGER, -- when it was found that D1 lacks it after all; null if not
      doubtful INTEGER -- 1 if it is kept and was a dead letter, which a person may have dropped; null if not
    )`);
    this.#addColumnsToOlderTable();
  }

  /** Reads everything from storage again. */
  reload(): void {
    this.#summary = undefined;
    this.#from = 0;
    this.#deletions = undefined;
    this.#kept.reload();
  }

  /** Adds a flush that is about to be sent for the first time. */
  add({ n, version, deltas, deletion }: SealedFlush, now: number): void {
    const bytes = byteLength(deltas);
    const [taken, ...others] = this.#kept.leaving(now, bytes, this.summary.bytes);
    this.#summary = undefined;
    if (taken !== undefined || deletion !== undefined) this.#deletions = undefined;
    for (const other of others) this.#sql.exec("DELETE FROM outbox WHERE n = ?", other);
    const columns = "n, sealed_at, attempts, due, bytes, deltas, version, deletion";
    const values = [
      n,
      now,
      1,
      now + FIRST_RESEND_MS,
      bytes,
      deltas,
      version,
      deletion === undefined ? null : JSON.stringify(deletion),
    ];
    if (taken === undefined) {
      this.#sql.exec(`INSERT INTO outbox (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, ...values);
    } else {
      // One row written, where a deletion and an insertion would be two.
      this.#sql.exec(
        `UPDATE outbox SET (${columns}, kept_at, recalled_at, dead_reason, doubtful) =
           (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL) WHERE n = ?`,
        ...values,
        taken,
      );
    }
  }

  /** Returns flushes that are due, up to a limit, and sets when they are sent next. Flushes above the limit stay due. */
  takeDue(now: number): DueFlush[] {
    const from = this.#lowest();
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
        `SELECT n, version, deltas, deletion, attempts, dead_reason FROM outbox
         WHERE due <= ? AND n >= ? AND kept_at IS NULL ORDER BY due, n LIMIT ?`,
        now,
        from,
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
      after: this.deletionBefore(n),
      ...parseDeletion(deletion),
    }));
  }

  /** Makes everything due that is not a dead letter. */
  makeDue(now: number): void {
    const from = this.#lowest();
    this.#summary = undefined;
    this.#sql.exec(
      "UPDATE outbox SET due = ?1 WHERE n >= ?2 AND kept_at IS NULL AND dead_reason IS NULL AND due > ?1",
      now,
      from,
    );
  }

  /** The latest deletion with a lower id, kept or unconfirmed. D1 must have it before the flush with that id. */
  deletionBefore(n: number): number | undefined {
    this.#deletions ??= this.#sql
      .exec<{ n: number }>("SELECT n FROM outbox WHERE deletion IS NOT NULL ORDER BY n")
      .toArray()
      .map((row) => row.n);
    return this.#deletions.findLast((deletion) => deletion < n);
  }

  /**
   * Removes the deltas of the selected series from every flush. Copies in the queue still have them, and D1 ignores these
   * because of the deletion.
   */
  removeSeries(selector: SeriesSelector): void {
    this.reload();
    const rows = this.#sql.exec<{ n: number }>("SELECT n FROM outbox WHERE deletion IS NULL").toArray();
    // One by one, because kept flushes are many. Kept ones too: they are sent again if D1 is restored to an earlier time.
    for (const { n } of rows) {
      const { deltas } = this.#sql.exec<{ deltas: string }>("SELECT deltas FROM outbox WHERE n = ?", n).one();
      const all = parseDeltas(deltas);
      const kept = all.filter((delta) => !isSelected(selector, delta));
      if (kept.length === all.length) continue;
      const text = JSON.stringify(kept);
      this.#sql.exec("UPDATE outbox SET deltas = ?, bytes = ? WHERE n = ?", text, byteLength(text), n);
    }
  }

  /**
   * Call it when D1 knows flushes, for good as far as is known. Ignores ids that are not in the outbox.
   *
   * WARNING: a person may have dropped a dead letter. If it were kept with its calls, they would count once D1 is restored to
   * before the drop. So it stays unconfirmed until `settleDead`.
   *
   * @returns the dead letters among them
   */
  confirm(ns: readonly number[], now: number): number[] {
    const dead = this.summary.dead === 0 ? [] : ns.filter((n) => this.deadDeltas(n) !== undefined);
    this.#confirmAll(
      ns.filter((n) => !dead.includes(n)),
      now,
    );
    return dead;
  }

  /** Confirms a flush that may be a dead letter. D1 has applied it, or it was emptied. */
  settleDead(n: number, now: number): void {
    this.#confirmAll([n], now);
  }

  #confirmAll(ns: readonly number[], now: number): void {
    this.#summary = undefined;
    for (const n of ns) this.#kept.confirm(n, now);
    this.#releaseRecalled(now);
  }

  /** Empties a dead letter that a person dropped, so that it stays dropped if D1 is restored to an earlier time. */
  empty(n: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "UPDATE outbox SET deltas = '[]', bytes = 2 WHERE n = ? AND kept_at IS NULL AND deletion IS NULL",
      n,
    );
  }

  /**
   * D1 had confirmed these flushes and lacks them. Those that are kept become unconfirmed again, as far as there is room.
   * The rest follows as room is made.
   *
   * @returns those that are not kept any more
   */
  recall(lacking: readonly FlushRange[], now: number): FlushRange[] {
    const lost = this.#kept.recall(lacking, now);
    this.#releaseRecalled(now);
    return lost;
  }

  get recalled(): Recalled {
    return this.#sql
      .exec<{ flushes: number; since: number | null }>(
        "SELECT count(*) AS flushes, min(sealed_at) AS since FROM outbox WHERE n >= ? AND recalled_at IS NOT NULL",
        this.#lowestOpen(),
      )
      .one();
  }

  /** Makes a flush a dead letter. Does nothing if the flush was confirmed before. */
  markDead(n: number, reason: string, now: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "UPDATE outbox SET dead_reason = ?, due = ? WHERE n = ? AND kept_at IS NULL",
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

  /** The lowest id that is not confirmed, or that D1 lacks after all. Null if there is none. */
  get lowestUnsettled(): number | null {
    return this.#kept.areWaiting ? (this.unconfirmed()[0] ?? null) : this.summary.lowest;
  }

  /** The ids of all flushes that are not confirmed, or that D1 lacks after all, in order. */
  unconfirmed(): number[] {
    return this.#sql
      .exec<{ n: number }>(
        "SELECT n FROM outbox WHERE n >= ? AND (kept_at IS NULL OR recalled_at IS NOT NULL) ORDER BY n",
        this.#lowestOpen(),
      )
      .toArray()
      .map(({ n }) => n);
  }

  get summary(): OutboxSummary {
    if (this.#summary) return this.#summary;
    this.#summary = this.#sql
      .exec<OutboxSummary & Record<string, number | null>>(
        `SELECT count(*) AS unconfirmed, count(dead_reason) AS dead, count(*) - count(dead_reason) AS onTheWay,
           count(deletion) AS deletions, coalesce(sum(bytes), 0) AS bytes, min(n) AS lowest,
           min(coalesce(recalled_at, sealed_at)) AS oldestAt, min(due) AS nextDue
         FROM outbox WHERE n >= ? AND kept_at IS NULL`,
        this.#from,
      )
      .one();
    this.#from = this.#summary.lowest ?? Math.max(this.#from, this.#highest() + 1);
    return this.#summary;
  }

  /** No flush below this id is unconfirmed; one that waits for room may be. */
  #lowest(): number {
    return this.summary.lowest ?? this.#from;
  }

  #lowestOpen(): number {
    return this.#kept.areWaiting ? 0 : this.#lowest();
  }

  #highest(): number {
    return this.#sql.exec<{ n: number | null }>("SELECT max(n) AS n FROM outbox").one().n ?? 0;
  }

  #releaseRecalled(now: number): void {
    if (!this.#kept.areWaiting) return;
    const room = this.#limits.recalledBytes - this.summary.bytes;
    const mayRelease = room > 0 || this.summary.onTheWay === 0;
    if (mayRelease && this.#kept.release(room, now)) {
      this.#summary = undefined;
      this.#from = 0;
    }
  }

  /** The unconfirmed flushes after the one given, in order of their ids, up to a size in bytes. */
  page(afterN: number, bytes: number): Page<Omit<SealedFlush, "version"> & { isDead: boolean }> {
    const sizes = this.#sql
      .exec<{ key: number; bytes: number }>(
        "SELECT n AS key, bytes FROM outbox WHERE n > ? AND kept_at IS NULL ORDER BY n",
        Math.max(afterN, this.#lowest() - 1),
      )
      .toArray();
    return takePage(sizes, bytes, (lastN) =>
      this.#sql
        .exec<{ n: number; deltas: string; deletion: string | null; is_dead: number }>(
          `SELECT n, deltas, deletion, dead_reason IS NOT NULL AS is_dead FROM outbox
           WHERE n > ? AND n <= ? AND kept_at IS NULL ORDER BY n`,
          afterN,
          lastN,
        )
        .toArray()
        .map(({ deletion, is_dead, ...flush }) => ({
          ...flush,
          ...parseDeletion(deletion),
          isDead: is_dead === 1,
        })),
    );
  }

  /**
   * Confirmed flushes from an id on that are kept, that D1 has for sure, and that D1 has applied: no dead letter that a person
   * may have dropped. None if they are larger than the size in bytes.
   */
  applied(fromN: number, bytes: number): Omit<SealedFlush, "version">[] {
    const isApplied = "n >= ? AND kept_at IS NOT NULL AND recalled_at IS NULL AND doubtful IS NULL";
    const size = this.#sql
      .exec<{ bytes: number | null }>(`SELECT sum(bytes) AS bytes FROM outbox WHERE ${isApplied}`, fromN)
      .one().bytes;
    if (size === null || size > bytes) return [];
    return this.#sql
      .exec<{ n: number; deltas: string; deletion: string | null }>(
        `SELECT n, deltas, deletion FROM outbox WHERE ${isApplied} ORDER BY n`,
        fromN,
      )
      .toArray()
      .map(({ deletion, ...flush }) => ({ ...flush, ...parseDeletion(deletion) }));
  }

  /** An object that an older release created has a table without these columns. Its flushes get version 0. */
  #addColumnsToOlderTable(): void {
    const present = this.#sql
      .exec<{ name: string }>("SELECT name FROM pragma_table_info('outbox')")
      .toArray();
    const has = (column: string) => present.some(({ name }) => name === column);
    if (!has("version")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN version INTEGER NOT NULL DEFAULT 0");
    if (!has("deletion")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN deletion TEXT");
    if (!has("kept_at")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN kept_at INTEGER");
    if (!has("doubtful")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN doubtful INTEGER");
    if (!has("recalled_at")) this.#sql.exec("ALTER TABLE outbox ADD COLUMN recalled_at INTEGER");
  }
}

function parseDeletion(text: string | null): Pick<SealedFlush, "deletion"> {
  return text === null ? {} : { deletion: JSON.parse(text) as SeriesSelector };
}
