/**
 * What dropped dead letters held. A repeated request to drop one gets the first answer again, for as long as this remembers it.
 * No read counts these calls.
 */
import type { BufferLimits } from "./limits.ts";

export class Dropped {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS dropped (n INTEGER PRIMARY KEY, dropped_at INTEGER NOT NULL, deltas TEXT NOT NULL)",
    );
  }

  /** Remembers a flush, and forgets the oldest ones above the limit. */
  add(n: number, deltas: string, now: number): void {
    this.#sql.exec("INSERT OR IGNORE INTO dropped VALUES (?, ?, ?)", n, now, deltas);
    this.#sql.exec(
      "DELETE FROM dropped WHERE n IN (SELECT n FROM dropped ORDER BY dropped_at DESC, n DESC LIMIT -1 OFFSET ?)",
      this.#limits.droppedFlushes,
    );
    this.forgetOld(now);
  }

  /** The deltas of a dropped flush, as a JSON array of `Delta`. Undefined if it was not dropped, or was forgotten. */
  deltas(n: number): string | undefined {
    return this.#sql.exec<{ deltas: string }>("SELECT deltas FROM dropped WHERE n = ?", n).toArray()[0]
      ?.deltas;
  }

  forgetOld(now: number): void {
    this.#sql.exec("DELETE FROM dropped WHERE dropped_at < ?", now - this.#limits.droppedKeptMs);
  }
}
