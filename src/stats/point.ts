/**
 * A data point of a metric: a number of calls, or a histogram of their durations in the form in which the sender counted
 * them. It is either what happened since the last point (delta), or since the sender began (cumulative).
 */

/** Explicit buckets: the first is up to the first bound, the last above the last bound. Bounds are milliseconds. */
export interface ExplicitLayout {
  boundsMs: number[];
}

/** OpenTelemetry's exponential buckets. Bucket `offset + i` of `counts[i]`, in units of `unitMs` milliseconds. */
export interface ExponentialLayout {
  scale: number;
  offset: number;
  unitMs: number;
}

export interface SourceHistogram {
  layout: ExplicitLayout | ExponentialLayout;
  counts: number[];
  /** Calls that the sender's clock could not measure. */
  zero: number;
  /** The sum of all durations in whole microseconds. */
  sumUs: number;
  /** The shortest and the longest duration, if the sender tells them. */
  minMs: number | null;
  maxMs: number | null;
}

/** A number of calls, or a histogram of durations. */
export type PointValue = number | SourceHistogram;

export interface Meaning {
  module: string;
  function: string;
  /**
   * "calls": the number counts calls. "durations": the histogram gives durations of calls that another metric counts.
   * "both": the histogram is all that there is, so each duration is a call.
   */
  adds: "calls" | "durations" | "both";
  isError: boolean;
  /** The name of the failure. Null if the sender does not tell, or there is none. */
  failure: string | null;
}

/** The number of durations in a histogram, also of those that could not be measured. */
export function countOf({ counts, zero }: SourceHistogram): number {
  return counts.reduce((sum, count) => sum + count, zero);
}

export function isExponential(layout: SourceHistogram["layout"]): layout is ExponentialLayout {
  return "scale" in layout;
}
