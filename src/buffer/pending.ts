/** Stores the pending deltas: those that are acknowledged and not in a flush yet. */
import { byteLength } from "../byte-length.ts";
import { type Delta, parseDeltas } from "../stats/delta.ts";
import { type Page, takePage } from "./page.ts";

export interface PendingState {
  /** Samples that arrived since the last seal. */
  items: number;
  /** Stored size of those samples, in bytes. */
  freshBytes: number;
  /** Stored size of everything pending, in bytes. */
  bytes: number;
  /** Whether an earlier seal left deltas behind, because too many flushes were unconfirmed. */
  hasLeftover: boolean;
  /** When the oldest sample arrived, in epoch milliseconds; null if nothing is pending. */
  oldestAt: number | null;
}

const NOTHING: PendingState = { items: 0, freshBytes: 0, bytes: 0, hasLeftover: false, oldestAt: null };

/** A row holds the deltas of a group of batches, or deltas that an earlier seal left behind. */
const TABLE = `CREATE TABLE IF NOT EXISTS pending (
  id INTEGER PRIMARY KEY,
  items INTEGER NOT NULL, -- samples as they arrived; 0 for a row that an earlier seal left behind
  received_at INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  deltas TEXT NOT NULL
)`;

export class Pending {
  readonly #sql: SqlStorage;
  #state = NOTHING;
  #generation = crypto.randomUUID();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(TABLE);
    this.reload();
  }

  /** Computes the state from storage again. */
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

  /** Changes whenever rows are replaced, and at every eviction. Pages of one generation fit together. */
  get generation(): string {
    return this.#generation;
  }

  /** Adds summed samples: their number, a JSON array of `Delta`, and its size in bytes of UTF-8. */
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

  /** Every delta. Reads row by row, so that memory holds the text of one row only. */
  *deltas(): Iterable<Delta> {
    for (const { deltas } of this.#sql.exec<{ deltas: string }>("SELECT deltas FROM pending ORDER BY id")) {
      yield* parseDeltas(deltas);
    }
  }

  /** The rows after the one given, up to a size in bytes. */
  page(afterId: number, bytes: number): Page<{ id: number; deltas: string }> {
    const sizes = this.#sql
      .exec<{ key: number; bytes: number }>(
        "SELECT id AS key, bytes FROM pending WHERE id > ? ORDER BY id",
        afterId,
      )
      .toArray();
    return takePage(sizes, bytes, (lastId) =>
      this.#sql
        .exec<{ id: number; deltas: string }>(
          "SELECT id, deltas FROM pending WHERE id > ? AND id <= ? ORDER BY id",
          afterId,
          lastId,
        )
        .toArray(),
    );
  }

  /** Starts a new generation without replacing rows. Reads that have already begun start over. */
  renew(): void {
    this.#generation = crypto.randomUUID();
  }

  /** Replaces all rows by merged deltas. Drops the table instead of deleting rows, because that bills no row. */
  replaceWith(leftovers: readonly string[]): void {
    const since = this.#state.oldestAt ?? 0;
    this.#generation = crypto.randomUUID();
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
