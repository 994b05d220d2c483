/** Sums the samples of one batch into deltas, and counts and explains the rejected ones. */
import type { Answer } from "../buffer/idempotency-store.ts";
import type { Delta } from "../stats/delta.ts";
import { addIndex } from "../stats/index-ranges.ts";
import type { Rejection, Rejections, Summed } from "./batch.ts";
import { ingestLimits } from "./limits.ts";
import { type Call, addPlainCall } from "./plain-call.ts";
import type { Sample } from "./sample.ts";
import { toDelta } from "./sample-delta.ts";

export class BatchSum implements Summed {
  readonly deltas: Delta[] = [];
  readonly answer: Answer = { accepted: 0, rejected: 0, reasons: [] };
  readonly rejected: Rejections = {};
  readonly #service: string;
  readonly #now: number;

  /** @param now epoch milliseconds */
  constructor(service: string, now: number) {
    this.#service = service;
    this.#now = now;
  }

  /** Adds a call to a delta that `add` returned, if it is plain: see `addPlainCall`. False if it was not added. */
  addPlainCall(delta: Delta, call: Call): boolean {
    const isAdded = addPlainCall(delta, call, this.#now);
    if (isAdded) this.answer.accepted++;
    return isAdded;
  }

  /** Adds a sample. Returns its delta, or undefined if the sample is too old: then it is rejected. */
  add(index: number, sample: Sample): Delta | undefined {
    const delta = toDelta(this.#service, sample, this.#now);
    if (delta) {
      this.deltas.push(delta);
      this.answer.accepted++;
    } else {
      const hours = ingestLimits.sampleAgeMs / 3_600_000;
      this.reject(
        index,
        "too_late",
        `at is ${sample.at}, more than ${hours} hours ago. Older samples are not counted.`,
      );
    }
    return delta;
  }

  /**
   * @param index above those of earlier samples
   * @param reason a sentence that tells the sender what to correct
   */
  reject(index: number, rejection: Rejection, reason: string): void {
    this.answer.rejected++;
    this.rejected[rejection] = (this.rejected[rejection] ?? 0) + 1;
    if (this.answer.reasons.length < ingestLimits.reasonsPerBatch)
      this.answer.reasons.push({ index, reason });
    addIndex((this.answer.rejectedRanges ??= []), index);
  }
}
