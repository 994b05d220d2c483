/**
 * A function's counters as integrals: their values at any moment. Within a minute, hour or day they rise linearly, because
 * nothing finer is kept.
 */
import type { Span } from "../../read/history.ts";
import type { Sums } from "../../stats/sums.ts";

/** Writes the numbers of one span or of totals. They must add up. */
export type Write = (sums: Sums, into: { [index: number]: number }, at: number) => void;

/** Spans of one resolution. They do not overlap. */
interface Layer {
  /** Epoch milliseconds. */
  starts: Float64Array;
  lengthMs: number;
  /** `columns` numbers for each span: the sums of all spans before it; then those of all spans. */
  before: Float64Array;
}

export class Timeline {
  readonly #layers: Layer[];
  /** The numbers at the beginning of the first span. */
  readonly #base: Float64Array;
  readonly #columns: number;
  readonly #nowMs: number;

  /**
   * @param columns how many numbers `write` writes
   * @param totals all calls since the beginning; if undefined, the counters begin at 0 with the first span
   * @param nowMs the counters rise until now only, also within the current minute
   */
  constructor(
    spans: readonly Span[],
    totals: Sums | undefined,
    write: Write,
    columns: number,
    nowMs: number,
  ) {
    this.#columns = columns;
    this.#nowMs = nowMs;
    const groups = Map.groupBy(spans, ({ resolution }) => resolution);
    this.#layers = Array.from(groups, ([resolution, own]) => layerOf(own, resolution * 1000, write, columns));
    this.#base = new Float64Array(columns);
    if (!totals) return;
    write(totals, this.#base, 0);
    for (const { before } of this.#layers) {
      for (let i = 0; i < columns; i++) this.#base[i]! -= before[before.length - columns + i]!;
    }
  }

  /** The number in the column at this moment. */
  valueAt(column: number, timeMs: number): number {
    const columns = this.#columns;
    let value = this.#base[column]!;
    for (const { starts, lengthMs, before } of this.#layers) {
      const after = countUpTo(starts, timeMs);
      if (after === 0) continue;
      const start = starts[after - 1]!;
      const all = before[after * columns + column]!;
      const length = Math.min(lengthMs, this.#nowMs - start);
      if (timeMs - start >= length) value += all;
      else {
        const earlier = before[(after - 1) * columns + column]!;
        value += earlier + (all - earlier) * ((timeMs - start) / length);
      }
    }
    return value;
  }
}

function layerOf(spans: readonly Span[], lengthMs: number, write: Write, columns: number): Layer {
  const sorted = spans.toSorted((a, b) => a.start - b.start);
  const starts = new Float64Array(sorted.length);
  const before = new Float64Array((sorted.length + 1) * columns);
  const own = new Float64Array(columns);
  let count = 0;
  for (const span of sorted) {
    const startMs = span.start * 1000;
    // Deltas may add to a span that D1 has too.
    if (count === 0 || starts[count - 1] !== startMs) {
      starts[count] = startMs;
      count++;
      before.copyWithin(count * columns, (count - 1) * columns, count * columns);
    }
    write(span, own, 0);
    for (let i = 0; i < columns; i++) before[count * columns + i]! += own[i]!;
  }
  return { starts: starts.subarray(0, count), lengthMs, before: before.subarray(0, (count + 1) * columns) };
}

/** How many of the ascending times are at most the given one. */
export function countUpTo(times: Float64Array, timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
