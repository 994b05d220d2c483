/** Rows that a store refused, with the reason. A row leaves the list when the store takes it after all. */
import type { RefusedRow } from "./deliver.ts";
import { type Row, rowKey } from "./sink.ts";

/** So many of the refused rows of one page are listed. */
const LISTED = 1_000;
const SHOWN = 20;
const REASON_LENGTH = 500;

export class RefusedRows {
  readonly #sql: SqlStorage;
  #count = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Must be called before anything else. */
  prepare(): void {
    this.#sql.exec(
      "CREATE TABLE IF NOT EXISTS refused (key TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
    this.#recount();
  }

  get count(): number {
    return this.#count;
  }

  /** Takes what became of some rows that were sent. */
  note(sent: readonly Row[], refused: readonly RefusedRow[], now: number): void {
    if (this.#count > 0) {
      for (const row of sent) this.#sql.exec("DELETE FROM refused WHERE key = ?", rowKey(row));
    }
    for (const { row, reason } of refused.slice(0, LISTED)) {
      this.#sql.exec(
        "INSERT OR REPLACE INTO refused (key, reason, at) VALUES (?, ?, ?)",
        rowKey(row),
        reason.slice(0, REASON_LENGTH),
        now,
      );
    }
    if (this.#count > 0 || refused.length > 0) this.#recount();
  }

  #recount(): void {
    this.#count = this.#sql.exec<{ rows: number }>('SELECT count(*) AS "rows" FROM refused').one().rows;
  }

  /** The latest, with the reason of each. */
  latest(): { service: string; module: string; function: string; start: number; reason: string }[] {
    return this.#sql
      .exec<{ key: string; reason: string }>(
        "SELECT key, reason FROM refused ORDER BY at DESC, key LIMIT ?",
        SHOWN,
      )
      .toArray()
      .map(({ key, reason }) => {
        const [service = "", module = "", name = "", start] = key.split("\n");
        return { service, module, function: name, start: Number(start), reason };
      });
  }
}
