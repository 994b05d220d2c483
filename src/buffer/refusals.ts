/**
 * Notes which of D1 and the queue refuses what the buffer sends, so that `GET /health` can tell it. Written when a refusal
 * begins and when it ends, because each write is billed.
 */
import type { Refusal } from "../refusal.ts";

export type Refuser = "D1" | "The queue";

export interface NotedRefusal {
  by: Refuser;
  refusal: Refusal;
  /** Epoch milliseconds. */
  since: number;
}

export class Refusals {
  readonly #sql: SqlStorage;
  readonly #noted = new Map<Refuser, NotedRefusal>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      `CREATE TABLE IF NOT EXISTS refusals (
        refuser TEXT PRIMARY KEY, refusal TEXT NOT NULL, since INTEGER NOT NULL
      ) WITHOUT ROWID`,
    );
    const rows = sql.exec<{ refuser: string; refusal: string; since: number }>("SELECT * FROM refusals");
    for (const { refuser, refusal, since } of rows) {
      const by = refuser as Refuser;
      this.#noted.set(by, { by, refusal: JSON.parse(refusal) as Refusal, since });
    }
  }

  get all(): NotedRefusal[] {
    return [...this.#noted.values()];
  }

  note(by: Refuser, refusal: Refusal, now: number): void {
    const text = JSON.stringify(refusal);
    const known = this.#noted.get(by);
    if (known && JSON.stringify(known.refusal) === text) return;
    this.#sql.exec("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", by, text, now);
    this.#noted.set(by, { by, refusal, since: now });
  }

  /** It took something. */
  end(by: Refuser): void {
    if (!this.#noted.has(by)) return;
    this.#sql.exec("DELETE FROM refusals WHERE refuser = ?", by);
    this.#noted.delete(by);
  }
}
