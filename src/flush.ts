/**
 * The message that carries a flush from the buffer through the queue to the consumer: its fields, and how to write and read
 * it. A flush is a set of deltas that D1 applies once.
 *
 * The queue delivers a message at least once and in any order. During a deploy, the buffer and the consumer may run
 * different versions of this file for some minutes. Flushes that were sealed before a deploy are sent again after it.
 */
import { type Delta, readDelta } from "./stats/delta.ts";
import type { SeriesSelector } from "./stats/series-id.ts";

/**
 * The version of the messages that this code writes. This code also reads version 0, which has no `version` field and may
 * hold deltas in their older form.
 *
 * WARNING: raise the version with any change that older code would misread, and keep reading the version before. A field
 * that a reader may ignore without a wrong count can be added without a new version.
 */
export const FLUSH_VERSION = 1;

/** Identifies one flush. An id is never used again. */
export interface FlushId {
  /** The name of the buffer that sealed the flush. */
  buffer: string;
  /** A random text, made when the storage of the buffer was created. */
  epoch: string;
  /** Counts up by one within the epoch. */
  n: number;
}

/** Flush ids of one epoch from `first` to `last`, both included. */
export interface FlushRange {
  first: number;
  last: number;
}

export interface Flush extends FlushId {
  deltas: Delta[];
  /**
   * A deletion with a lower id that D1 must have before this flush. Without it, the deletion could come later and delete calls
   * that were made after it. That happens only if D1 was restored to an earlier time.
   */
  after?: number | undefined;
  /**
   * The series that this flush deletes. D1 then drops their calls from every flush with a lower id of this epoch, whether that
   * flush was applied before or arrives later. A flush with a deletion has no deltas.
   */
  deletion?: SeriesSelector | undefined;
}

/** A flush as the buffer stores it. */
export interface EncodableFlush extends FlushId {
  /** The version of the code that sealed the flush. */
  version: number;
  /** The text of a JSON array of deltas, in the form of that version. */
  deltas: string;
  after?: number | undefined;
  deletion?: SeriesSelector | undefined;
}

export type DecodedFlush =
  | { status: "flush"; flush: Flush }
  /** A flush that this code cannot read. The reason is a sentence for the person who looks at dead letters. */
  | { status: "unreadable"; id: FlushId; reason: string }
  | { status: "not_a_flush" };

/**
 * Writes a message. Its version is the one under which the flush was sealed and not `FLUSH_VERSION`: after a rollback, older
 * code sends flushes that newer code sealed, and must not present them as its own.
 */
export function encodeFlush({ version, buffer, epoch, n, deltas, after, deletion }: EncodableFlush): string {
  // The deltas are stored as JSON already. Parsing them here would cost time and memory and change nothing.
  const optional =
    (after === undefined ? "" : `,"after":${after}`) +
    (deletion === undefined ? "" : `,"deletion":${JSON.stringify(deletion)}`);
  const fields = `"buffer":${JSON.stringify(buffer)},"epoch":${JSON.stringify(epoch)},"n":${n},"deltas":${deltas}${optional}`;
  return version === 0 ? `{${fields}}` : `{"version":${version},${fields}}`;
}

/** Reads a message of this version or of the version before. Never throws. */
export function decodeFlush(body: unknown): DecodedFlush {
  const message = parseObject(body);
  const id = message && readId(message);
  if (!id) return { status: "not_a_flush" };
  const { version = 0, deltas, after, deletion } = message;
  if (version !== 0 && version !== FLUSH_VERSION) {
    return {
      status: "unreadable",
      id,
      reason:
        `The flush has version ${JSON.stringify(version)}, and this deployment reads versions 0 to ${FLUSH_VERSION} only. ` +
        "Deploy a release that reads it. The flush is then tried again within the hour, or at once with a replay.",
    };
  }
  if (!Array.isArray(deltas)) {
    return {
      status: "unreadable",
      id,
      reason: "The flush has no list of deltas. The queue delivered it damaged.",
    };
  }
  if (deletion !== undefined && !isSelector(deletion)) {
    return { status: "unreadable", id, reason: "The flush deletes series without naming a service." };
  }
  return {
    status: "flush",
    flush: {
      ...id,
      deltas: deltas.map(readDelta),
      ...(Number.isSafeInteger(after) ? { after: after as number } : {}),
      ...(deletion ? { deletion } : {}),
    },
  };
}

function isSelector(value: unknown): value is SeriesSelector {
  return (
    typeof value === "object" && value !== null && "service" in value && typeof value.service === "string"
  );
}

function readId({ buffer, epoch, n }: Record<string, unknown>): FlushId | undefined {
  if (typeof buffer !== "string" || typeof epoch !== "string" || !Number.isSafeInteger(n)) return undefined;
  return { buffer, epoch, n: n as number };
}

function parseObject(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
