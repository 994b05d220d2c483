/**
 * Confirmed flushes stay in the outbox for a while. If D1 is restored to an earlier time, or emptied, it gets those that it
 * lacks again.
 *
 * A confirmation marks the flush's row instead of deleting it. The next flush takes over the row of one that is kept no
 * longer. Keeping flushes therefore writes no more rows than deleting them.
 */
import type { FlushRange } from "../flush.ts";
import type { BufferLimits } from "./limits.ts";

/** Kept flushes that may leave when one flush is added. */
const LEAVING_AT_ONCE = 16;

interface Totals {
  flushes: number;
  bytes: number;
  /** Kept flushes that D1 lacks and that wait for room among the unconfirmed flushes. */
  waiting: number;
}

export class KeptFlushes {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  readonly #keepMs: () => number;
  #totals: Totals | undefined;

  /** `keepMs` reads the setting when it is needed. */
  constructor(sql: SqlStorage, limits: BufferLimits, keepMs: () => number) {
    this.#sql = sql;
    this.#limits = limits;
    this.#keepMs = keepMs;
  }

  /** Computes the totals from storage again when they are next needed. */
  reload(): void {
    this.#totals = undefined;
  }

  get areWaiting(): boolean {
    return this.totals.waiting > 0;
  }

  get totals(): Readonly<Totals> {
    return this.#read();
  }

  /**
   * Marks a confirmed flush as kept, or deletes it if none is kept.
   *
   * A release that does not know the mark takes the flush for an unconfirmed one that is due. It sends the flush once more,
   * and D1 confirms it without writing.
   */
  confirm(n: number, now: number): void {
    if (this.#keepMs() === 0) {
      if (this.#sql.exec("DELETE FROM outbox WHERE n = ?", n).rowsWritten > 0) this.reload();
      return;
    }
    const [confirmed] = this.#sql
      .exec<{ bytes: number }>(
        `UPDATE outbox SET kept_at = ?, recalled_at = NULL, due = 0, doubtful = iif(dead_reason IS NULL, doubtful, 1),
           dead_reason = NULL
         WHERE n = ? AND kept_at IS NULL RETURNING bytes`,
        now,
        n,
      )
      .toArray();
    if (!confirmed) return;
    const totals = this.#read();
    totals.flushes++;
    totals.bytes += confirmed.bytes;
  }

  /**
   * The flushes that leave when one of the given size is added, oldest first: their time is over, or there is no room. None
   * leaves while others wait for room, because a deletion among them must come before later flushes.
   */
  leaving(now: number, added: number, unconfirmed: number): number[] {
    const totals = this.#read();
    if (totals.flushes === 0 || totals.waiting > 0) return [];
    const oldest = this.#sql
      .exec<{ n: number; bytes: number; kept_at: number }>(
        "SELECT n, bytes, kept_at FROM outbox WHERE kept_at IS NOT NULL ORDER BY n LIMIT ?",
        LEAVING_AT_ONCE,
      )
      .toArray();
    const leaving: number[] = [];
    for (const { n, bytes, kept_at } of oldest) {
      const isOver = kept_at <= now - this.#keepMs();
      const hasRoom =
        totals.flushes < this.#limits.keptFlushes &&
        totals.bytes + unconfirmed + added <= this.#limits.outboxBytes;
      if (!isOver && hasRoom) break;
      leaving.push(n);
      totals.flushes--;
      totals.bytes -= bytes;
    }
    return leaving;
  }

  /** D1 lacks these flushes. Returns which of them are not kept. */
  recall(lacking: readonly FlushRange[], now: number): FlushRange[] {
    const lost: FlushRange[] = [];
    for (const { first, last } of lacking) {
      this.#sql.exec(
        `UPDATE outbox SET recalled_at = ? WHERE n BETWEEN ? AND ? AND kept_at IS NOT NULL AND recalled_at IS NULL`,
        now,
        first,
        last,
      );
      let next = first;
      const present = this.#sql.exec<{ n: number }>(
        "SELECT n FROM outbox WHERE n BETWEEN ? AND ? ORDER BY n",
        first,
        last,
      );
      for (const { n } of present.toArray()) {
        if (n > next) lost.push({ first: next, last: n - 1 });
        next = n + 1;
      }
      if (next <= last) lost.push({ first: next, last });
    }
    this.reload();
    return lost;
  }

  /** Makes recalled flushes unconfirmed again, in order, up to a size but at least one. False if there is none. */
  release(bytes: number, now: number): boolean {
    if (!this.areWaiting) return false;
    const waiting = this.#sql
      .exec<{ n: number; bytes: number }>(
        `SELECT n, bytes FROM outbox WHERE kept_at IS NOT NULL AND recalled_at IS NOT NULL ORDER BY n`,
      )
      .toArray();
    let size = 0;
    let count = 0;
    for (const flush of waiting) {
      size += flush.bytes;
      if (size > bytes && count > 0) break;
      this.#sql.exec("UPDATE outbox SET kept_at = NULL, attempts = 0, due = ? WHERE n = ?", now, flush.n);
      count++;
    }
    this.reload();
    return count > 0;
  }

  #read(): Totals {
    return (this.#totals ??= this.#sql
      .exec<Totals & Record<string, number>>(
        `SELECT count(*) AS flushes, coalesce(sum(bytes), 0) AS bytes, count(recalled_at) AS waiting
         FROM outbox WHERE kept_at IS NOT NULL`,
      )
      .one());
  }
}
