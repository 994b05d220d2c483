/** The samples of one series as the evaluation reads them. */
import type { Histogram } from "../histogram/histogram.ts";
import type { Labels } from "../labels.ts";
import type { Integral, SampleValue, Series } from "../source.ts";
import { type Grid, FLOAT, NONE, Row, timeAt } from "./value.ts";

/** Samples of one kind. */
export interface Samples<T> {
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<T>;
  readonly startTimes: ArrayLike<number> | undefined;
}

export class Track {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly times: ArrayLike<number>;
  readonly values: ArrayLike<SampleValue>;
  readonly integral: Integral | undefined;
  private readonly startTimes: ArrayLike<number> | undefined;
  private split: { floats: Samples<number>; histograms: Samples<Histogram> } | undefined;

  constructor({ labels, times, values, startTimes, integral }: Series, dropName = false) {
    this.labels = labels;
    this.dropName = dropName;
    this.times = times;
    this.values = values;
    this.startTimes = startTimes;
    this.integral = integral;
  }

  /** Floats and histograms apart, without stale markers. */
  get kinds(): { floats: Samples<number>; histograms: Samples<Histogram> } {
    this.split ??= this.splitKinds();
    return this.split;
  }

  /** The samples after one time and up to another. */
  cut(afterMs: number, toMs: number): { labels: Labels; times: number[]; values: (number | Histogram)[] } {
    const cut = { labels: this.labels, times: [] as number[], values: [] as (number | Histogram)[] };
    for (let at = 0; at < this.times.length; at++) {
      const [timeMs, value] = [this.times[at]!, this.values[at]!];
      if (timeMs <= afterMs || timeMs > toMs || value === null) continue;
      cut.times.push(timeMs);
      cut.values.push(value);
    }
    return cut;
  }

  private splitKinds(): { floats: Samples<number>; histograms: Samples<Histogram> } {
    const { times, values, startTimes } = this;
    const none = { times: [], values: [], startTimes: undefined };
    if (values instanceof Float64Array) return { floats: { times, values, startTimes }, histograms: none };
    const pick = <T>(isKind: (value: SampleValue) => boolean): Samples<T> => {
      const picked = { times: [] as number[], values: [] as T[], startTimes: startTimes && ([] as number[]) };
      for (let at = 0; at < times.length; at++) {
        if (!isKind(values[at]!)) continue;
        picked.times.push(times[at]!);
        picked.values.push(values[at] as T);
        if (startTimes) picked.startTimes!.push(startTimes[at]!);
      }
      return picked;
    };
    return {
      floats: pick<number>((value) => typeof value === "number"),
      histograms: pick<Histogram>((value) => typeof value === "object" && value !== null),
    };
  }
}

/**
 * The last sample at each step, if it is not older than the look-back and not a stale marker. With `asTime`, its time
 * in seconds instead of its value. `shift(t)` is the time to look at for an evaluation at t.
 */
export function sampleTrack(
  track: Track,
  grid: Grid,
  shift: (timeMs: number) => number,
  lookbackMs: number,
  asTime: boolean,
): Row {
  const { times, values } = track;
  const row = new Row(track.labels, grid.steps);
  const maxAgeMs = track.integral ? Infinity : lookbackMs;
  let after = 0;
  for (let step = 0; step < grid.steps; step++) {
    const timeMs = shift(timeAt(grid, step));
    after = advance(times, after, timeMs);
    const at = after - 1;
    if (at < 0 || times[at]! <= timeMs - maxAgeMs) continue;
    const value = values[at]!;
    if (value !== null) row.set(step, asTime ? times[at]! / 1000 : value);
  }
  return row;
}

/** The values of a row as a series, for windows over the result of a subquery. */
export function trackOfRow(row: Row, grid: Grid): Track {
  const times: number[] = [];
  const values: SampleValue[] = [];
  let allFloats = true;
  for (let step = 0; step < grid.steps; step++) {
    const kind = row.kinds[step];
    if (kind === NONE) continue;
    times.push(timeAt(grid, step));
    const value = row.get(step)!;
    if (kind !== FLOAT) allFloats = false;
    values.push(typeof value === "number" ? value : forgetReset(value));
  }
  const typed = allFloats ? Float64Array.from(values as number[]) : values;
  return new Track({ labels: row.labels, times, values: typed }, row.dropName);
}

/** A subquery skips or repeats samples, so what a histogram says about its predecessor no longer holds. */
const forgetReset = (histogram: Histogram): Histogram =>
  histogram.resetHint === "gauge" ? histogram : { ...histogram, resetHint: "unknown" };

/** The first index, from `from` on, whose time is later. Near ones are found fastest. */
export function advance(times: ArrayLike<number>, from: number, timeMs: number): number {
  let low = from;
  let stride = 1;
  // Doubling strides, then halving them, so that neither a long series nor short steps take long.
  while (low + stride <= times.length && times[low + stride - 1]! <= timeMs) {
    low += stride;
    stride *= 2;
  }
  for (; stride >= 1; stride /= 2) {
    if (low + stride <= times.length && times[low + stride - 1]! <= timeMs) low += stride;
  }
  return low;
}
