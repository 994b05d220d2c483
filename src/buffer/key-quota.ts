/**
 * How much of the idempotency keys is whose, so that no service takes all the room. An estimate: what came since the last
 * note is forgotten when the object is evicted, and a note, which is a row written, is made once for many keys.
 * WARNING: a quotaOwner is a service that is known, or one name for all others: it is kept in memory.
 */

/** What a row takes besides its key and its reasons, in bytes. */
const ROW_BYTES = 64;
/** A quotaOwner's bytes since its last note. */
const NOTED_AT_BYTES = 64 * 1024;

export class KeyQuota {
  readonly #sql: SqlStorage;
  /** Bytes by quotaOwner and day. */
  readonly #bytes = new Map<string, Map<number, number>>();
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

  /** From 0 to 1; 0 where there are no keys. */
  of(quotaOwner: string): number {
    const days = this.#bytes.get(quotaOwner);
    if (!days || this.#total === 0) return 0;
    let bytes = 0;
    for (const each of days.values()) bytes += each;
    return bytes / this.#total;
  }

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

  /** Forgets the days before, whose keys are forgotten. */
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
