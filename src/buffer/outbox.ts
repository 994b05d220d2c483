/** The sealed flushes that D1 is not yet known to have. Each stays until it is confirmed, and is sent again until then. */
import { limits } from "../limits.ts";
import { byteLength } from "../byte-length.ts";
import { type Page, takePage } from "./page.ts";

/** A flush as the queue carries it, as JSON text. Deltas are an array of `Delta`. */
export interface FlushMessage<Deltas> {
  buffer: string;
  epoch: string;
  n: number;
  deltas: Deltas;
}

/** The first wait for a confirmation; each further one is twice as long, up to the longest. Milliseconds. */
const FIRST_RESEND_MS = 30_000;
const LONGEST_RESEND_MS = 60 * 60 * 1000;

export interface SealedFlush {
  n: number;
  deltas: string;
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

/** All of what is in the outbox. Times are epoch milliseconds; null where it is empty. */
export interface OutboxSummary {
  /** Dead letters among them. */
  unconfirmed: number;
  dead: number;
  bytes: number;
  lowest: number | null;
  oldestSealedAt: number | null;
  /** When the next flush is due. */
  nextDue: number | null;
}

export class Outbox {
  readonly #sql: SqlStorage;
  /** Asked for with every batch, and changed with a flush only; undefined until somebody asks again. */
  #summary: OutboxSummary | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS outbox (
      n INTEGER PRIMARY KEY,
      sealed_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      due INTEGER NOT NULL, -- when it is sent again
      dead_reason TEXT,     -- why D1 refuses it; null while that is not known
      bytes INTEGER NOT NULL,
      deltas TEXT NOT NULL
    )`);
  }

  /** Adds a flush that is about to be sent for the first time. */
  add(n: number, deltas: string, now: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "INSERT INTO outbox (n, sealed_at, attempts, due, bytes, deltas) VALUES (?, ?, 1, ?, ?, ?)",
      n,
      now,
      now + FIRST_RESEND_MS,
      byteLength(deltas),
      deltas,
    );
  }

  /** Takes some of what is due, and puts it off to its next turn; what is left is due at once. */
  takeDue(now: number): SealedFlush[] {
    this.#summary = undefined;
    const due = this.#sql
      .exec<{ n: number; deltas: string; attempts: number; dead_reason: string | null }>(
        "SELECT n, deltas, attempts, dead_reason FROM outbox WHERE due <= ? ORDER BY due, n LIMIT ?",
        now,
        limits.unconfirmedFlushes,
      )
      .toArray();
    for (const { n, attempts, dead_reason } of due) {
      const wait = dead_reason === null ? FIRST_RESEND_MS * 2 ** Math.min(attempts, 10) : LONGEST_RESEND_MS;
      this.#sql.exec(
        "UPDATE outbox SET attempts = attempts + 1, due = ? WHERE n = ?",
        now + Math.min(wait, LONGEST_RESEND_MS),
        n,
      );
    }
    return due.map(({ n, deltas }) => ({ n, deltas }));
  }

  remove(ns: readonly number[]): void {
    this.#summary = undefined;
    for (const n of ns) this.#sql.exec("DELETE FROM outbox WHERE n = ?", n);
  }

  /** Marks a flush that D1 keeps refusing; one that is confirmed meanwhile has no row, and stays so. */
  markDead(n: number, reason: string, now: number): void {
    this.#summary = undefined;
    this.#sql.exec(
      "UPDATE outbox SET dead_reason = ?, due = ? WHERE n = ?",
      reason,
      now + LONGEST_RESEND_MS,
      n,
    );
  }

  /** Lets a dead letter be due now. False where there is none of that id. */
  replay(n: number, now: number): boolean {
    this.#summary = undefined;
    return (
      this.#sql.exec("UPDATE outbox SET due = ? WHERE n = ? AND dead_reason IS NOT NULL", now, n)
        .rowsWritten > 0
    );
  }

  /** The dead letters, the oldest first. */
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

  /** What a dead letter holds, as a JSON array of `Delta`. */
  deadDeltas(n: number): string | undefined {
    return this.#sql
      .exec<{ deltas: string }>("SELECT deltas FROM outbox WHERE n = ? AND dead_reason IS NOT NULL", n)
      .toArray()[0]?.deltas;
  }

  get summary(): OutboxSummary {
    return (this.#summary ??= this.#sql
      .exec<OutboxSummary & Record<string, number | null>>(
        `SELECT count(*) AS unconfirmed, count(dead_reason) AS dead, coalesce(sum(bytes), 0) AS bytes,
           min(n) AS lowest, min(sealed_at) AS oldestSealedAt, min(due) AS nextDue FROM outbox`,
      )
      .one());
  }

  /** What comes after the flush given, until it fills the bytes given. */
  page(afterN: number, bytes: number): Page<SealedFlush> {
    return takePage(
      this.#sql.exec<{ n: number; bytes: number; deltas: string }>(
        "SELECT n, bytes, deltas FROM outbox WHERE n > ? ORDER BY n",
        afterN,
      ),
      bytes,
    );
  }
}
