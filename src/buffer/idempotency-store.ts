/**
 * The batches that were answered, by idempotency key. One table for each day: an old day is forgotten by dropping
 * its table, which scans nothing and bills no row.
 */
import { limits } from "../limits.ts";
import { KeyQuota } from "./key-quota.ts";

/** What a sender is told of a batch. */
export interface Answer {
  accepted: number;
  rejected: number;
  reasons: { index: number; reason: string }[];
}

/** A batch that is known by its key. The key is well-formed Unicode without control characters. */
interface KeyedBatch {
  key: string;
  /** Of what the batch says, in hexadecimal digits. */
  digest: string;
  answer: Answer;
}

/** Of a key, and whether it was for the same batch. */
export interface FirstUse {
  isSame: boolean;
  answer: Answer;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Days kept besides today: any key is known for at least 72 hours. WARNING: longer than a sample may be late. */
const DAYS_KEPT = 3;
/** Hexadecimal digits of a digest that are kept: 128 bits, since rows like these are most of what the buffer stores. */
const DIGEST_LENGTH = 32;
/** Groups of batches from one look at the size of storage to the next: one took a sixth of what storing a batch does. */
const MEASURED_EVERY = 64;

/** A row may have 40 KB of reasons; a text that is bound to a statement, 2 MB. */
const ROWS_AT_ONCE = 16;

export class IdempotencyStore {
  readonly #sql: SqlStorage;
  readonly #quota: KeyQuota;
  /** Of all that the object stores, in bytes. */
  #size = 0;
  #sinceMeasured = 0;
  /** The days that have a table, the latest first. */
  #days: number[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#quota = new KeyQuota(sql);
    this.reload();
  }

  /** Takes what is known in memory from storage again. */
  reload(): void {
    this.#days = this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'keys_[0-9]*'",
      )
      .toArray()
      .map(({ name }) => Number(name.slice("keys_".length)))
      .sort((a, b) => b - a);
  }

  /** What the keys were taken for first, and told then, by key: of those that are not new. */
  firstUses(service: string, batches: readonly KeyedBatch[]): Map<string, FirstUse> {
    const firstUses = new Map<string, FirstUse>();
    if (batches.length === 0) return firstUses;
    const digests = new Map(batches.map(({ key, digest }) => [key, digest.slice(0, DIGEST_LENGTH)]));
    const keys = JSON.stringify([...digests.keys()]);
    for (const day of this.#days) {
      const rows = this.#sql.exec<{
        key: string;
        digest: ArrayBuffer;
        accepted: number;
        rejected: number;
        reasons: string | null;
      }>(
        `SELECT key, digest, accepted, rejected, reasons FROM keys_${day}
         WHERE service = ? AND key IN (SELECT value FROM json_each(?))`,
        service,
        keys,
      );
      for (const { key, digest, accepted, rejected, reasons } of rows) {
        firstUses.set(key, {
          isSame: new Uint8Array(digest).toHex() === digests.get(key),
          answer: {
            accepted,
            rejected,
            reasons: reasons === null ? [] : (JSON.parse(reasons) as Answer["reasons"]),
          },
        });
      }
    }
    return firstUses;
  }

  /**
   * Whether there is no room for another key at this quotaOwner's expense. The last room is for those that have few: one that
   * sends ever new keys shuts out itself, until its oldest day is forgotten.
   */
  isFull(quotaOwner: string): boolean {
    if (this.#sinceMeasured++ % MEASURED_EVERY === 0) this.#size = this.#sql.databaseSize;
    const size = this.#size;
    return size > limits.bufferBytes || (size > limits.bufferBytesOfOne && this.#quota.of(quotaOwner) > 0.5);
  }

  /** Makes today's table and forgets days that are past. */
  turnTo(now: number): void {
    const today = dayOf(now);
    if (this.#days.includes(today)) return;
    this.#sql.exec(
      `CREATE TABLE keys_${today} (
        service TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,
        accepted INTEGER NOT NULL, rejected INTEGER NOT NULL, reasons TEXT,
        PRIMARY KEY (service, key)
      ) WITHOUT ROWID`,
    );
    const isKept = (day: number) => day >= today - DAYS_KEPT;
    for (const day of this.#days) {
      if (!isKept(day)) this.#sql.exec(`DROP TABLE keys_${day}`);
    }
    this.#days = [today, ...this.#days.filter(isKept)].sort((a, b) => b - a);
    this.#quota.keepFrom(today - DAYS_KEPT);
    this.#sinceMeasured = 0;
  }

  /** Takes keys that are new for batches and their answers. The day must have been turned to. */
  add(service: string, batches: readonly KeyedBatch[], quotaOwner: string, now: number): void {
    if (batches.length === 0) return;
    const today = dayOf(now);
    const rows = batches.map(({ key, digest, answer: { accepted, rejected, reasons } }) => {
      const told = reasons.length === 0 ? null : JSON.stringify(reasons);
      return [key, digest.slice(0, DIGEST_LENGTH), accepted, rejected, told] as const;
    });
    for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
      this.#sql.exec(
        `INSERT INTO keys_${today}
         SELECT ?, value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)`,
        service,
        JSON.stringify(rows.slice(i, i + ROWS_AT_ONCE)),
      );
    }
    for (const [key, , , , told] of rows)
      this.#quota.add(today, quotaOwner, key.length + (told?.length ?? 0));
  }
}

export function hasKey<Batch extends { key: string | null }>(batch: Batch): batch is Batch & { key: string } {
  return batch.key !== null;
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
