/** Every bound that a sender or a reader can meet, in one place. Sizes are bytes, lengths UTF-16 code units. */
import { MAX_BUCKET, MIN_BUCKET } from "./stats/histogram.ts";
import { storeLimits } from "./store/limits.ts";

export const limits = {
  /** A POST's body, after decompression. */
  bodyBytes: 1024 * 1024,
  samplesPerBatch: 5_000,
  /** A batch as the buffer stores it, or a group of them: production refuses rows of 2 MB, the local runtime does not. */
  storedBatchBytes: 1_500_000,
  /** Batches that the buffer is brought at once, and their bodies together; also no more deltas than a batch has samples. */
  batchesPerGroup: 64,
  groupLength: 2 * 1024 * 1024,
  /** How many bad samples of a batch are answered one by one. */
  reasonsPerBatch: 100,
  /** How late a sample may be, in milliseconds. WARNING: idempotency keys must be remembered for longer. */
  sampleAgeMs: 48 * 60 * 60 * 1000,
  idempotencyKeyLength: 128,
  serviceLength: 100,
  moduleLength: 200,
  functionLength: 200,
  /** Longer ones are cut, not refused: a long message must not cost the call that it belongs to. */
  failureNameLength: 100,
  failureMessageLength: 500,
  failuresPerSample: 100,
  failuresPerFunction: storeLimits.failuresPerFunction,
  /** Different buckets in one histogram: as many as durations that are believed fall into. */
  histogramEntries: MAX_BUCKET - MIN_BUCKET + 1,
  callsPerSample: 1_000_000_000,
  /**
   * The durations in one sum, in milliseconds: three years. What sums merge to is exact below 2^53 microseconds, which is
   * 285 years of calls of one function; past it, it is approximate, and fails nowhere.
   */
  sumMs: 1e11,
  /** Functions in one answer, and how many where none is asked for. */
  functionsPerPage: 10_000,
  defaultFunctionsPerPage: 1_000,
  /** What is searched for. */
  queryLength: 200,
  searchResults: 100,
  /**
   * From the beginning to the end of a range, in milliseconds: a hundred years, since all that was ever kept may be asked
   * for. What an answer costs is bounded by its points, and by what is kept.
   */
  rangeMs: 36_525 * 24 * 60 * 60 * 1000,
  /** Points of a series that is asked for with its step, and of one that is not. */
  seriesPoints: 1_500,
  defaultSeriesPoints: 300,
  sparklinePoints: 60,
  histogramBuckets: 400,
} as const;
