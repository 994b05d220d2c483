/** Converts sums to Prometheus' native histograms: exponential ones of schema 5, in seconds. */
import { type Histogram, NO_BUCKETS } from "../../promql/histogram/histogram.ts";
import type { Span } from "../../read/history.ts";
import type { Sums } from "../../stats/sums.ts";
import { Timeline } from "./timeline.ts";

const SCHEMA = 5;

/**
 * Our bucket i covers (2^(i/32), 2^((i+1)/32)] milliseconds. Prometheus' bucket j covers (2^((j-1)/32), 2^(j/32)] seconds. A
 * bucket of ours counts in the one that contains its geometric middle, which is off by less than a tenth of a bucket.
 */
const SHIFT = Math.ceil(0.5 - Math.log2(1000) * 2 ** SCHEMA);

/** Columns before those of the buckets: the count, and the sum in microseconds. */
const FIRST_BUCKET = 2;

/** A function's native histogram as an integral. */
export class NativeTimeline {
  readonly #timeline: Timeline;
  readonly #low: number;
  /** Numbers that each span takes. */
  readonly columns: number;

  constructor(spans: readonly Span[], totals: Sums | undefined, nowMs: number) {
    let [low, high] = [Infinity, -Infinity];
    for (const { buckets } of totals ? [...spans, totals] : spans) {
      for (let i = 0; i < buckets.length; i += 2) {
        low = Math.min(low, buckets[i]!);
        high = Math.max(high, buckets[i]!);
      }
    }
    this.#low = low === Infinity ? 0 : low;
    this.columns = FIRST_BUCKET + (low === Infinity ? 0 : high - low + 1);
    const first = FIRST_BUCKET - this.#low;
    const write = ({ calls, unmeasured, sumUs, buckets }: Sums, into: { [index: number]: number }): void => {
      for (let i = 0; i < this.columns; i++) into[i] = 0;
      into[0] = calls - unmeasured;
      into[1] = sumUs;
      for (let i = 0; i < buckets.length; i += 2) into[first + buckets[i]!]! += buckets[i + 1]!;
    };
    this.#timeline = new Timeline(spans, totals, write, this.columns, nowMs);
  }

  valueAt(timeMs: number): Histogram {
    const indexes: number[] = [];
    const counts: number[] = [];
    for (let column = FIRST_BUCKET; column < this.columns; column++) {
      const count = this.#timeline.valueAt(column, timeMs);
      if (count === 0) continue;
      indexes.push(this.#low + column - FIRST_BUCKET + SHIFT);
      counts.push(count);
    }
    return {
      schema: SCHEMA,
      count: this.#timeline.valueAt(0, timeMs),
      sum: this.#timeline.valueAt(1, timeMs) / 1e6,
      zeroCount: 0,
      zeroThreshold: 0,
      positive: { indexes, counts },
      negative: NO_BUCKETS,
      customBounds: [],
      resetHint: "unknown",
    };
  }
}
