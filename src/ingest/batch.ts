/** A batch: samples of one service, summed into deltas, that are recorded under one idempotency key. */
import type { Answer } from "../buffer/idempotency-store.ts";
import type { SenderPoints } from "../buffer/interface.ts";
import type { Delta } from "../stats/delta.ts";

/** Why a sample was rejected, as a word for the log. */
export type Rejection = "invalid" | "too_late";

/** How many samples were rejected, by reason. */
export type Rejections = Partial<Record<Rejection, number>>;

export interface Batch extends Summed {
  service: string;
  /** Well-formed Unicode without control characters. Null if the sender gave none: then every delivery counts. */
  key: string | null;
  /**
   * Identifies the content of the batch, in hexadecimal digits. If a later batch has the same key and another
   * digest, the answer is 409.
   */
  digest: string;
  /** The batch's share of the request body, in bytes: an estimate of the work that it makes. */
  weight: number;
  /**
   * Points that count since their senders began. The buffer finds out what they add. Such a batch has no deltas and no key: a
   * point that comes again adds nothing.
   */
  cumulative?: SenderPoints[];
}

/** The result of summing samples. */
export interface Summed {
  /** Not merged: several deltas may be of one function and minute. */
  deltas: Delta[];
  /** The answer to record. A later delivery under the same key gets it again. */
  answer: Answer;
  rejected: Rejections;
}
