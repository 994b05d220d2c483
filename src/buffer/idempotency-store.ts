/**
 * Stores the idempotency keys of recorded batches, each with the first answer. There is one table for each day, because
 * dropping the table of an old day reads nothing and bills no row.
 */
import { type IndexRanges, rangesOf } from "../stats/index-ranges.ts";
import { KeyQuota } from "./key-quota.ts";
import type { BufferLimits } from "./limits.ts";

/** The answer that a sender gets for a batch. */
export interface Answer {
  accepted: number;
  rejected: number;
  reasons: { index: number; reason: string }[];
  /** The places of all rejected samples. Left out if there are none, and in answers that an older version recorded. */
  rejectedRanges?: IndexRanges;
}

/** A batch with a key. The key is well-formed Unicode without control characters. */
interface KeyedBatch {
  key: string;
  /** Hash of the batch, in hexadecimal digits. */
  digest: string;
  answer: Answer;
}

/** The first use of a key. */
export interface FirstUse {
  /** Whether the first use was with the same batch. */
  isSame: boolean;
  answer: Answer;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * Days kept in addition to today, so that a key is known for at least 72 hours.
 *
 * WARNING: keys must be kept for longer than a sample may be late. Otherwise a late retry counts a second time.
 */
const DAYS_KEPT = 3;
/** How many hexadecimal digits of a digest are stored: 128 bits. Keys fill most of the storage, so their rows are short. */
const DIGEST_LENGTH = 32;
/** The size of storage is read once every this many checks. Reading it at each check took a sixth of the time to store a batch. */
const MEASURED_EVERY = 64;
/** Rows in one statement. A row may have 40 KB of reasons and 30 KB of ranges, and a bound text may have 2 MB. */
const ROWS_AT_ONCE = 16;

export class IdempotencyStore {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  readonly #quota: KeyQuota;
  /** Size of the object's whole storage in bytes, when it was last read. */
  #size = 0;
  #sinceMeasured = 0;
  /** The days that have a table, latest first. */
  #days: number[] = [];

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    this.#quota = new KeyQuota(sql);
    this.reload();
  }

  /** Reads the list of tables from storage again. */
  reload(): void {
    this.#days = this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'keys_[0-9]*'",
      )
      .toArray()
      .map(({ name }) => Number(name.slice("keys_".length)))
      .sort((a, b) => b - a);
  }

  /** Finds the batches' keys that were used before, and returns their first uses by key. */
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
          answer: { accepted, rejected, ...readRejections(rejected, reasons) },
        });
      }
    }
    return firstUses;
  }

  /**
   * Whether the buffer must reject another key of this owner. The last part of the room is kept for owners with few keys. A
   * sender that fills the store with new keys therefore blocks only itself, until its oldest day is deleted.
   */
  isFull(quotaOwner: string): boolean {
    if (this.#sinceMeasured++ % MEASURED_EVERY === 0) this.#size = this.#sql.databaseSize;
    const size = this.#size;
    return (
      size > this.#limits.bufferBytes ||
      (size > this.#limits.bufferBytesOfOne && this.#quota.of(quotaOwner) > 0.5)
    );
  }

  /** Creates today's table and drops those of days that are no longer kept. */
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

  /** Counts other bytes that an owner stores for as long as keys. Call `turnTo` with the same time first. */
  countBytes(quotaOwner: string, bytes: number, now: number): void {
    this.#quota.add(dayOf(now), quotaOwner, bytes);
  }

  /** Stores new keys with their answers. Call `turnTo` with the same time first. */
  add(service: string, batches: readonly KeyedBatch[], quotaOwner: string, now: number): void {
    if (batches.length === 0) return;
    const today = dayOf(now);
    const rows = batches.map(({ key, digest, answer }) => {
      const { accepted, rejected } = answer;
      const reasonsText = writeRejections(answer);
      return [key, digest.slice(0, DIGEST_LENGTH), accepted, rejected, reasonsText] as const;
    });
    for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
      this.#sql.exec(
        `INSERT INTO keys_${today}
         SELECT ?, value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)`,
        service,
        JSON.stringify(rows.slice(i, i + ROWS_AT_ONCE)),
      );
    }
    for (const [key, , , , reasonsText] of rows)
      this.#quota.add(today, quotaOwner, key.length + (reasonsText?.length ?? 0));
  }
}

/** The ranges are stored only if they do not follow from the reasons. */
function writeRejections({ rejected, reasons, rejectedRanges }: Answer): string | null {
  if (rejected === 0) return null;
  return JSON.stringify(rejected > reasons.length && rejectedRanges ? { reasons, rejectedRanges } : reasons);
}

function readRejections(rejected: number, text: string | null): Pick<Answer, "reasons" | "rejectedRanges"> {
  if (text === null) return { reasons: [] };
  const stored = JSON.parse(text) as Answer["reasons"] | Pick<Answer, "reasons" | "rejectedRanges">;
  if (!Array.isArray(stored)) return stored;
  if (rejected > stored.length) return { reasons: stored };
  return { reasons: stored, rejectedRanges: rangesOf(stored.map(({ index }) => index)) };
}

export function hasKey<Batch extends { key: string | null }>(batch: Batch): batch is Batch & { key: string } {
  return batch.key !== null;
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
