/** What the engine asks for and gets: series of samples by matchers and time. Implement `Source` for your own data. */
import type { Histogram } from "./histogram/histogram.ts";
import type { Labels } from "./labels.ts";
import type { Matcher } from "./matcher.ts";

/** A sample's value. `null` is a stale marker: the series ended here. */
export type SampleValue = number | Histogram | null;

export interface Series {
  labels: Labels;
  /** Unix times in milliseconds, strictly ascending. */
  times: ArrayLike<number>;
  /** One for each time. A `Float64Array` is read fastest. */
  values: ArrayLike<SampleValue>;
  /** When the counter behind each sample began, in milliseconds. 0 if unknown. Helps to find resets. */
  startTimes?: ArrayLike<number>;
  /** Present if the series is a counter that is known at every moment, not at its samples only. */
  integral?: Integral;
}

/**
 * A counter that is known exactly at every moment, as the integral of what happened up to then.
 *
 * `rate`, `increase`, `delta` and `irate` over a window are then exact: the difference of two values. There is no
 * extrapolation and no need of two samples in the window. A selector without a range gives the value of the last
 * sample, however old it is: such a series never goes stale.
 */
export interface Integral {
  /** The series exists from this time on, in milliseconds. Before it, functions give no result. */
  fromMs: number;
  /** The counter at any time within the selected range. Constant before `fromMs`. Must never fall. */
  valueAt(timeMs: number): number | Histogram;
}

/** What the query does with the series. A source may ignore it. */
export interface Hints {
  /** Distance between evaluations in milliseconds. 0 for an instant query. */
  stepMs: number;
  /** Whether the selector is in a subquery, so that it is evaluated at other times as well. */
  inSubquery: boolean;
  /** The function directly around the selector, such as `rate`, or "". */
  function: string;
  /** The length of the range in milliseconds. 0 without one. */
  rangeMs: number;
  /**
   * The aggregation directly around it. For `sum`, a source may answer with sums of integral series instead, one for
   * each group, if the function is `rate`, `increase` or `delta`: the result is the same, of fewer series.
   */
  aggregation: { operator: string; labels: readonly string[]; without: boolean } | undefined;
  /** Aborted when the caller gives up. */
  signal: AbortSignal | undefined;
  /** A source should not read more series than this. The engine refuses them. */
  maxSeries: number;
}

export interface Source {
  /**
   * The series that match all matchers, with their samples from `fromMs` to `toMs`, both included.
   *
   * Asked once for each selector of a query, for the whole query. A sample outside of the times does no harm. Of an
   * integral series, the last sample before `fromMs` is needed too, since it never goes stale.
   */
  select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    hints: Hints,
  ): Promise<readonly Series[]>;
}
