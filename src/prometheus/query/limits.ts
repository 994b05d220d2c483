/** The limits of one query. */
import { executionError, type PromqlError } from "../../promql/errors.ts";

export const queryLimits = {
  /** Samples that the evaluation holds at a time. */
  maxSamples: 2_000_000,
  /** Series of one selector. */
  maxSeries: 10_000,
  /** Steps of a range query, less one. */
  maxPoints: 11_000,
  /** Work of the evaluation, as the engine counts it: about a second of CPU time. */
  maxOperations: 100_000_000,
  /** Time for reading and evaluating, in milliseconds. A request can ask for less. */
  timeoutMs: 30_000,
  /** Rollups that all selectors of a query read, and numbers that are kept of them, of 8 bytes each. */
  maxRollups: 400_000,
  maxNumbers: 6_000_000,
  /** The same numbers, of all queries that one isolate answers at the same time. */
  maxNumbersAtOnce: 8_000_000,
  /** Label sets that `/api/v1/series` answers. */
  maxListed: 50_000,
  /** The sample of a gauge is that old at most, in milliseconds. */
  gaugeAgeMs: 15_000,
} as const;

export const tooManySamples = (): PromqlError =>
  executionError("query processing would load too many samples into memory in query execution");
