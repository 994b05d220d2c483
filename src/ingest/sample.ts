/** A validated sample: one observed call, or a sender's own sum of many calls of one function in one minute. */
import type { Histogram } from "../stats/histogram.ts";
import type { Failure } from "../stats/failures.ts";

export type Sample = SingleCall | SumOfCalls;

interface SampleOfFunction {
  /** A name as `isName` accepts it. */
  function: string;
  /** A name, or empty if the sender gave none. */
  module: string;
  /** Epoch milliseconds. If left out, the time of arrival counts. */
  at?: number | undefined;
}

export interface SingleCall extends SampleOfFunction {
  /** 0 if the clock could not measure the call. */
  durationMs: number;
  /** Present if the call failed. The texts are as `printable` returns them. */
  error?: { name: string; message: string } | undefined;
}

/** Its fields agree with each other: `contradictionIn` finds nothing. */
export interface SumOfCalls extends SampleOfFunction {
  calls: number;
  errors: number;
  /** Calls that the clock could not measure. */
  unmeasured: number;
  /** The sum, the minimum, the maximum and the histogram are over measured calls. */
  sumMs: number;
  minMs?: number | null | undefined;
  maxMs?: number | null | undefined;
  histogram: Histogram;
  failures: Failure[];
}
