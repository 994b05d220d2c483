/** What is acknowledged and in no flush yet: groups of batches as they came, and what an earlier seal had no room for. */
import { type Delta, parseDeltas } from "../stats/delta.ts";
import { byteLength } from "../byte-length.ts";
import { type Page, takePage } from "./page.ts";

interface PendingState {
  /** Samples that arrived since the last seal. */
  items: number;
  /** Their size, and that of everything here, in bytes as stored. */
  freshBytes: number;
  bytes: number;
  /** Whether an earlier seal left something behind for want of room. */
  hasLeftover: boolean;
  /** When the first of them arrived, in epoch milliseconds; null where there is nothing. */
  oldestAt: number | null;
}

const NOTHING: PendingState = { items: 0, freshBytes: 0, bytes: 0, hasLeftover: false, oldestAt: null };

const TABLE = `CREATE TABLE IF NOT EXISTS pending (
  id INTEGER PRIMARY KEY,
  items INTEGER NOT NULL, -- samples as they arrived; 0 for what an earlier seal left behind
  received_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  deltas TEXT NOT NULL
)`;

export class Pending {
  readonly #sql: SqlStorage;
  #state = NOTHING;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
    this.reload();
  }

  /** Takes what is known in memory from storage again. */
  reload(): void {
    const row = this.#sql
      .exec<{
        items: number;
        fresh_bytes: number;
        bytes: number;
        leftovers: number;
        oldest_at: number | null;
      }>(
        `SELECT coalesce(sum(items), 0) AS items, coalesce(sum(iif(items > 0, bytes, 0)), 0) AS fresh_bytes,
           coalesce(sum(bytes), 0) AS bytes, coalesce(sum(items = 0), 0) AS leftovers,
           min(received_at) AS oldest_at FROM pending`,
      )
      .one();
    this.#state = {
      items: row.items,
      freshBytes: row.fresh_bytes,
      bytes: row.bytes,
      hasLeftover: row.leftovers > 0,
      oldestAt: row.oldest_at,
    };
  }

  get state(): Readonly<PendingState> {
    return this.#state;
  }

  /** Adds samples that were summed: a JSON array of `Delta`, and its size in bytes of UTF-8. */
  add(items: number, deltas: string, bytes: number, now: number): void {
    this.#insert(items, deltas, bytes, now);
    this.#state = {
      ...this.#state,
      items: this.#state.items + items,
      freshBytes: this.#state.freshBytes + bytes,
      bytes: this.#state.bytes + bytes,
      oldestAt: this.#state.oldestAt ?? now,
    };
  }

  /** Every delta, row by row, so that no more than one row is held as text. */
  *deltas(): Iterable<Delta> {
    for (const { deltas } of this.#sql.exec<{ deltas: string }>("SELECT deltas FROM pending ORDER BY id")) {
      yield* parseDeltas(deltas);
    }
  }

  /** What comes after the row given, until it fills the bytes given. */
  page(afterId: number, bytes: number): Page<{ id: number; deltas: string }> {
    return takePage(
      this.#sql.exec<{ id: number; bytes: number; deltas: string }>(
        "SELECT id, bytes, deltas FROM pending WHERE id > ? ORDER BY id",
        afterId,
      ),
      bytes,
    );
  }

  /** Puts merged deltas in the place of all there was. Dropping the table bills no row. */
  replaceWith(leftovers: readonly string[]): void {
    const since = this.#state.oldestAt ?? 0;
    this.#sql.exec("DROP TABLE pending");
    this.#sql.exec(TABLE);
    let bytes = 0;
    for (const deltas of leftovers) {
      const size = byteLength(deltas);
      this.#insert(0, deltas, size, since);
      bytes += size;
    }
    this.#state =
      leftovers.length === 0 ? NOTHING : { ...NOTHING, bytes, hasLeftover: true, oldestAt: since };
  }

  #insert(items: number, deltas: string, bytes: number, receivedAt: number): void {
    this.#sql.exec(
      "INSERT INTO pending (items, received_at, bytes, deltas) VALUES (?, ?, ?, ?)",
      items,
      receivedAt,
      bytes,
      deltas,
    );
  }
}
