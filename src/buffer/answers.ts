/**
 * The batches that were answered, by idempotency key. One table for each day: an old day is forgotten by dropping
 * its table, which scans nothing and bills no row.
 */
import { limits } from "../limits.ts";
import { KeyShares } from "./key-shares.ts";

/** What a sender is told of a batch. */
export interface Answer {
  accepted: number;
  rejected: number;
  reasons: { index: number; reason: string }[];
}

interface KeyOfBatch {
  service: string;
  key: string;
  /** Of what the batch says, in hexadecimal digits. */
  digest: string;
}

interface AnsweredBatch extends KeyOfBatch {
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
/** Batches from one look at the size of storage to the next: one took a sixth of what storing a batch does. */
const MEASURED_EVERY = 64;

export class Answers {
  readonly #sql: SqlStorage;
  readonly #shares: KeyShares;
  /** Of all that the object stores, in bytes. */
  #size = 0;
  #sinceMeasured = 0;
  /** The days that have a table, the latest first. */
  #days: number[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#shares = new KeyShares(sql);
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

  /** What the key was taken for first, and told then. */
  find(batch: KeyOfBatch): FirstUse | undefined {
    return this.#findOn(this.#days, batch);
  }

  #findOn(days: readonly number[], { service, key, digest }: KeyOfBatch): FirstUse | undefined {
    for (const day of days) {
      const [row] = this.#sql
        .exec<{ digest: ArrayBuffer; accepted: number; rejected: number; reasons: string | null }>(
          `SELECT digest, accepted, rejected, reasons FROM keys_${day} WHERE service = ? AND key = ?`,
          service,
          key,
        )
        .toArray();
      if (row) {
        const { accepted, rejected, reasons } = row;
        return {
          isSame: new Uint8Array(row.digest).toHex() === digest.slice(0, DIGEST_LENGTH),
          answer: {
            accepted,
            rejected,
            reasons: reasons === null ? [] : (JSON.parse(reasons) as Answer["reasons"]),
          },
        };
      }
    }
    return undefined;
  }

  /**
   * Whether there is no room for another key at this sharer's expense. The last room is for those that have few: one that
   * sends ever new keys shuts out itself, until its oldest day is forgotten.
   */
  isFull(sharer: string): boolean {
    if (this.#sinceMeasured++ % MEASURED_EVERY === 0) this.#size = this.#sql.databaseSize;
    const size = this.#size;
    return size > limits.bufferBytes || (size > limits.bufferBytesOfOne && this.#shares.of(sharer) > 0.5);
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
    this.#shares.keepFrom(today - DAYS_KEPT);
    this.#sinceMeasured = 0;
  }

  /**
   * Takes a key that is new for a batch and its answer; of one that is not, it tells the first use and changes nothing.
   * The day must have been turned to.
   */
  take(batch: AnsweredBatch, sharer: string, now: number): FirstUse | undefined {
    const { service, key, digest, answer } = batch;
    const today = dayOf(now);
    const otherDays = this.#days.filter((day) => day !== today);
    const earlier = this.#findOn(otherDays, batch);
    if (earlier) return earlier;
    const { accepted, rejected, reasons } = answer;
    const told = reasons.length === 0 ? null : JSON.stringify(reasons);
    // Nearly every key is new, and to insert it looks it up as well.
    const { rowsWritten } = this.#sql.exec(
      `INSERT INTO keys_${today} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      service,
      key,
      Uint8Array.fromHex(digest.slice(0, DIGEST_LENGTH)).buffer,
      accepted,
      rejected,
      told,
    );
    if (rowsWritten === 0) return this.#findOn([today], batch);
    this.#shares.add(today, sharer, key.length + (told?.length ?? 0));
    return undefined;
  }
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
