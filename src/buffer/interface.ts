/**
 * The arguments and results of the buffer's RPC methods.
 *
 * WARNING: a Worker and its objects may run different versions for some minutes around a deploy. Give a field a new name if
 * its meaning changes, and expect that a new field is missing.
 */
import type { StreamPoint } from "../stats/point-difference.ts";
import type { Meaning } from "../stats/point.ts";
import type { SeriesSelector } from "../stats/series-id.ts";
import type { Answer } from "./idempotency-store.ts";
import type { NotedRefusal } from "./refusals.ts";

/** Batches of one service that ingest has validated and summed together. The buffer records all of them or none. */
export interface BatchGroup {
  service: string;
  /** No two of them have the same key. */
  batches: RecordedBatch[];
  /** The sum of all batches, as a JSON array of `Delta`. */
  deltas: string;
  /** Size of `deltas` in bytes of UTF-8. */
  bytes: number;
  /** The keys of the functions in `deltas` within the service, without repetition. */
  functions: string[];
  /** Numbers of rejected samples by reason. */
  rejected: Record<string, number>;
}

/** Cumulative points of one service, some of which the buffer may know. The buffer records what they add, or nothing. */
export interface PointBatch {
  service: string;
  senders: SenderPoints[];
  /** Numbers of rejected points by reason. */
  rejected: Record<string, number>;
}

export interface SenderPoints {
  /** Names the process that counts, within its service. */
  sender: string;
  points: CumulativePoint[];
}

export interface CumulativePoint extends Meaning, StreamPoint {
  /** Names the stream that the point is of, within its sender. */
  stream: string;
}

export interface PointResult {
  status: "recorded" | "overloaded";
  /** Numbers of points that were not counted because something is wrong with their sender, by what. */
  warnings: Record<string, number>;
}

export interface RecordedBatch {
  /** Null if the sender gave none. Every delivery of such a batch counts. */
  key: string | null;
  /** Hash of the batch. It shows whether a known key is used again for another batch. */
  digest: string;
  answer: Answer;
}

export type RecordResult =
  | { status: "recorded" }
  /** The key is known, with the same batch. Nothing was written. `answer` is the answer to the first delivery. */
  | { status: "duplicate"; answer: Answer }
  /** The key is known, with another batch. Nothing was written. */
  | { status: "conflict" }
  /** The buffer is full. Nothing was written. */
  | { status: "overloaded" }
  | SendAgain;

/**
 * The group failed, not this batch. The caller sends it again without the batches that got another result. If all batches of
 * a group get this, the caller sends them in smaller groups. A batch that is alone in its group never gets it.
 */
export interface SendAgain {
  status: "send_again";
}

/** Which flushes of an epoch D1 has confirmed: all with ids below `next`, but for those in `unconfirmed`. */
export interface Confirmed {
  epoch: string;
  next: number;
  unconfirmed: number[];
}

/**
 * One page of the calls that the buffer holds and D1 may lack. D1 has every flush below `next` that is in no page's `sealed`.
 * The deltas in `pending` will be sealed under ids from `next` on.
 */
export interface SnapshotPage {
  status: "page";
  epoch: string;
  next: number;
  /**
   * Deltas are JSON arrays of `Delta`. A flush with a `deletion` deletes series: until the ledger has it, D1's rows of these
   * series do not count. A buffer of an older release has none. A dead letter may have been dropped, which only the ledger tells.
   */
  sealed: { n: number; deltas: string; deletion?: SeriesSelector | undefined; isDead?: boolean }[];
  pending: string[];
  /**
   * On the first page, if the reader asks for it: flushes of this epoch from the asked id on that D1 has applied, as far as they
   * are kept. A buffer of an older release has none.
   */
  applied?: { n: number; deltas: string; deletion?: SeriesSelector | undefined }[];
  /** For the next page; null if this page is the last. */
  cursor: SnapshotCursor | null;
}

export interface SnapshotCursor {
  generation: string;
  afterN: number;
  afterId: number;
}

export interface BufferHealth {
  /** Samples since the last seal. */
  bufferedSamples: number;
  bufferedBytes: number;
  /** Epoch milliseconds; null if nothing is pending. */
  oldestBufferedAt: number | null;
  /** Epoch milliseconds; null if all flushes are confirmed. */
  oldestUnconfirmedAt: number | null;
  unconfirmedFlushes: number;
  deadLetters: number;
  /** Services with more functions than the limit. */
  overflow: string[];
  epoch: string;
  /** Since the buffer was created, by reason. A buffer of an older release omits it. */
  rejectedSamples?: Record<string, number>;
  /** Flushes that D1 had confirmed and lacks, and that are sent again. A buffer of an older release omits it. */
  recalledFlushes?: number;
  /** When the oldest of them was sealed, in epoch milliseconds; null if there is none. */
  recalledSince?: number | null;
  /** What D1 or the queue refuses until something changes. A buffer of an older release omits it. */
  refusals?: NotedRefusal[];
}
