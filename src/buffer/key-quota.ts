/**
 * Estimates how many bytes of idempotency keys belong to each quota owner, so that no service takes all the room.
 *
 * An owner's count is written to storage only once it has grown by 64 KB, because each write is billed. An eviction of the
 * object loses what was counted after the last write.
 *
 * WARNING: a quota owner must be a known service, or one shared name for all unknown services. Memory holds every owner, so
 * owners that a sender can invent would fill it.
 */

/** Size of a row without its key and its reasons, in bytes. */
const ROW_BYTES = 64;
/** After this many new bytes an owner's count is written to storage. */
const NOTED_AT_BYTES = 64 * 1024;

export class KeyQuota {
  readonly #sql: SqlStorage;
  /** Bytes by owner and day. */
  readonly #bytes = new Map<string, Map<number, number>>();
  /** Bytes by owner that storage does not have yet. */
  readonly #unnoted = new Map<string, number>();
  #total = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS key_quota (
      owner TEXT NOT NULL, day INTEGER NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (owner, day)
    ) WITHOUT ROWID`);
    for (const { owner, day, bytes } of sql.exec<{ owner: string; day: number; bytes: number }>(
      "SELECT owner, day, bytes FROM key_quota",
    )) {
      this.#count(owner, day, bytes);
    }
  }

  /** The owner's share of all bytes, from 0 to 1. It is 0 if there are no keys. */
  of(quotaOwner: string): number {
    const days = this.#bytes.get(quotaOwner);
    if (!days || this.#total === 0) return 0;
    let bytes = 0;
    for (const each of days.values()) bytes += each;
    return bytes / this.#total;
  }

  /** Counts one more key, with the size of its texts in bytes. */
  add(day: number, quotaOwner: string, bytes: number): void {
    const known = this.#count(quotaOwner, day, bytes + ROW_BYTES);
    const unnoted = (this.#unnoted.get(quotaOwner) ?? 0) + bytes + ROW_BYTES;
    if (unnoted < NOTED_AT_BYTES) {
      this.#unnoted.set(quotaOwner, unnoted);
      return;
    }
    this.#unnoted.delete(quotaOwner);
    this.#sql.exec(
      "INSERT INTO key_quota VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET bytes = excluded.bytes",
      quotaOwner,
      day,
      known,
    );
  }

  /** Drops the counts of the days before, whose keys are deleted. */
  keepFrom(firstDay: number): void {
    this.#sql.exec("DELETE FROM key_quota WHERE day < ?", firstDay);
    for (const [quotaOwner, days] of this.#bytes) {
      for (const [day, bytes] of days) {
        if (day >= firstDay) continue;
        days.delete(day);
        this.#total -= bytes;
      }
      if (days.size === 0) this.#bytes.delete(quotaOwner);
    }
  }

  #count(quotaOwner: string, day: number, bytes: number): number {
    const days = this.#bytes.get(quotaOwner) ?? new Map<number, number>();
    const known = (days.get(day) ?? 0) + bytes;
    this.#bytes.set(quotaOwner, days.set(day, known));
    this.#total += bytes;
    return known;
  }
}
