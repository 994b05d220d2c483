/** Counts what one query reads and keeps, and what all queries of the isolate keep at the same time. */
import { PromqlError } from "../../promql/errors.ts";
import { queryLimits, tooManySamples } from "./limits.ts";

/** Numbers that all running queries of this isolate keep. */
let keptByAll = 0;

export class Reading implements Disposable {
  #rollups = 0;
  #numbers = 0;

  /** @throws {PromqlError} if the query reads more than is allowed, or if others leave no room for it */
  add(rollups: number, numbers: number): void {
    this.#rollups += rollups;
    if (this.#rollups > queryLimits.maxRollups || this.#numbers + numbers > queryLimits.maxNumbers) {
      throw tooManySamples();
    }
    if (keptByAll + numbers > queryLimits.maxNumbersAtOnce) {
      throw new PromqlError("timeout", "other queries use all memory, try again in some seconds");
    }
    this.#numbers += numbers;
    keptByAll += numbers;
  }

  /** The query has ended. */
  [Symbol.dispose](): void {
    keptByAll -= this.#numbers;
    this.#numbers = 0;
  }
}
