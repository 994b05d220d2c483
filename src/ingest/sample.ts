/** A validated sample: one observed call, or a sender's own sum of many calls of one function in one minute. */
import type { Histogram } from "../stats/histogram.ts";
import type { Failure } from "../stats/failures.ts";

export type Sample = SingleCall | SumOfCalls;

interface SampleOfFunction {
  /** A name as `isName` accepts it. */
  function: string;
  /** A name, or empty if the sender gave none. */
  module: string;
  /** Epoch milliseconds. Left out, the sample is of now. */
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
  /** Of the measured calls, as are the minimum, the maximum and the histogram. */
  sumMs: number;
  minMs?: number | null | undefined;
  maxMs?: number | null | undefined;
  histogram: Histogram;
  failures: Failure[];
}
