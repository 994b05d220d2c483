/**
 * Stores the last cumulative point of each stream of each sender. There is one table for each day, because dropping the table
 * of an old day reads nothing and bills no row. A release that does not know these tables leaves them alone.
 */
import { byteLength } from "../byte-length.ts";
import type { BufferLimits } from "./limits.ts";
import type { StreamPoint } from "../stats/point-difference.ts";

/** The streams of one sender. */
export type Streams = Map<string, StreamPoint>;

const DAY_MS = 24 * 60 * 60 * 1000;
/** Streams without a point for longer are forgotten. */
const KEPT_MS = 3 * DAY_MS;
/** Days whose tables are kept in addition to today's. */
const DAYS_KEPT = KEPT_MS / DAY_MS;

export class StreamStore {
  readonly #sql: SqlStorage;
  readonly #limits: BufferLimits;
  /** The days that have a table, latest first. */
  #days: number[] = [];

  constructor(sql: SqlStorage, limits: BufferLimits) {
    this.#sql = sql;
    this.#limits = limits;
    this.reload();
  }

  /** Reads the list of tables from storage again. */
  reload(): void {
    this.#days = this.#sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'streams_[0-9]*'",
      )
      .toArray()
      .map(({ name }) => Number(name.slice("streams_".length)))
      .sort((a, b) => b - a);
  }

  /** The streams of a sender, none if it is not known. */
  load(service: string, sender: string, now: number): Streams {
    for (const day of this.#days) {
      if (day < dayOf(now) - DAYS_KEPT) break;
      const rows = this.#sql
        .exec<{ streams: string }>(
          `SELECT streams FROM streams_${day} WHERE service = ? AND sender = ? ORDER BY part`,
          service,
          sender,
        )
        .toArray();
      if (rows.length === 0) continue;
      return new Map(rows.flatMap(({ streams }) => JSON.parse(streams) as [string, StreamPoint][]));
    }
    return new Map();
  }

  /** Replaces the streams of a sender, without those to forget. Returns their size in bytes. */
  save(service: string, sender: string, streams: Streams, now: number): number {
    this.#turnTo(now);
    const today = dayOf(now);
    const kept = [...streams].filter(([, { time }]) => time >= now - KEPT_MS);
    const parts = inParts(kept, this.#limits.storedBytesPerRow);
    for (const [part, text] of parts.entries()) {
      this.#sql.exec(
        `INSERT OR REPLACE INTO streams_${today} VALUES (?, ?, ?, ?)`,
        service,
        sender,
        part,
        text,
      );
    }
    // There are fewer parts than before only if streams were forgotten.
    this.#sql.exec(
      `DELETE FROM streams_${today} WHERE service = ? AND sender = ? AND part >= ?`,
      service,
      sender,
      parts.length,
    );
    return parts.reduce((bytes, text) => bytes + byteLength(text), 0);
  }

  #turnTo(now: number): void {
    const today = dayOf(now);
    if (this.#days.includes(today)) return;
    this.#sql.exec(
      `CREATE TABLE streams_${today} (
        service TEXT NOT NULL, sender TEXT NOT NULL, part INTEGER NOT NULL,
        streams TEXT NOT NULL, -- JSON array of [name, StreamPoint]
        PRIMARY KEY (service, sender, part)
      ) WITHOUT ROWID`,
    );
    const isKept = (day: number) => day >= today - DAYS_KEPT;
    for (const day of this.#days) {
      if (!isKept(day)) this.#sql.exec(`DROP TABLE streams_${day}`);
    }
    this.#days = [today, ...this.#days.filter(isKept)].sort((a, b) => b - a);
  }
}

/** JSON arrays, each of at most that length. A sender with many streams has several rows. */
function inParts(streams: Iterable<[string, StreamPoint]>, maxLength: number): string[] {
  const parts: string[][] = [[]];
  let bytes = 0;
  for (const entry of streams) {
    const text = JSON.stringify(entry);
    if (bytes + text.length > maxLength && parts.at(-1)!.length > 0) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)!.push(text);
    bytes += text.length + 1;
  }
  return parts.map((part) => `[${part.join(",")}]`);
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
