/**
 * What others tell the buffer, and what it answers. A Worker and its objects may run different versions for minutes around a
 * deploy: what changes its meaning changes its name, and a field that is added may be missing.
 */
import type { Answer } from "./idempotency-store.ts";
import type { SealedFlush } from "./outbox.ts";

/** Batches of one service that ingest has validated and summed together. All of them are recorded, or none. */
export interface BatchGroup {
  service: string;
  /** No two of them have the same key. */
  batches: RecordedBatch[];
  /** A JSON array of `Delta`: what all of them sum to. */
  deltas: string;
  /** Of `deltas`, in bytes of UTF-8. */
  bytes: number;
  /** The keys of the functions in `deltas`, within the service, each once. */
  functions: string[];
  /** How many samples were refused, by reason. */
  rejected: Record<string, number>;
}

export interface RecordedBatch {
  /** Null where the sender gave none: then every delivery counts. */
  key: string | null;
  /** Names what the batch says, so that a key is not taken for another batch. */
  digest: string;
  answer: Answer;
}

export type RecordResult =
  | { status: "recorded" }
  | { status: "duplicate"; answer: Answer }
  | { status: "conflict" }
  | { status: "overloaded" }
  | SendAgain;

/**
 * Nothing is known to be wrong with the batch, but with its group: to be sent again without those of another result. Where
 * all of several batches are told so, in smaller groups; one that is alone never is.
 */
export interface SendAgain {
  status: "send_again";
}

/**
 * What the buffer holds that D1 may not have, as JSON arrays of `Delta`. D1 has every flush below `next` that is
 * not in `sealed`; `pending` will be sealed as `next` and above. Everything there is, if `cursor` is null; else
 * ask again with it.
 */
export interface SnapshotPage {
  status: "page";
  epoch: string;
  next: number;
  sealed: SealedFlush[];
  pending: string[];
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
  /** Epoch milliseconds; null where nothing waits. */
  oldestBufferedAt: number | null;
  oldestUnconfirmedAt: number | null;
  unconfirmedFlushes: number;
  deadLetters: number;
  /** Services that have more functions than are told apart. */
  overflow: string[];
  epoch: string;
  /** Since the buffer was made, by reason. An older buffer does not tell. */
  rejectedSamples?: Record<string, number>;
}
