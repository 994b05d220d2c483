/** The bounds of the buffer and of reading. `ingest/limits.ts` has those of ingest. Sizes are bytes, lengths UTF-16 code units. */

export const limits = {
  /**
   * Flushes that may be on their way to D1 at once, dead letters aside; past it, what is pending merges in place. An
   * alarm sends as many.
   */
  unconfirmedFlushes: 16,
  /** Flushed early at this size, so that merging stays well within the object's 128 MB of memory. */
  flushedEarlyBytes: 2 * 1024 * 1024,
  /** Acknowledged and in no flush: past it the buffer refuses, which happens only while D1 does not confirm. */
  pendingBytes: 8 * 1024 * 1024,
  /** In flushes that D1 does not have, dead letters most of all: past it the buffer refuses. */
  unconfirmedBytes: 32 * 1024 * 1024,
  /** What the buffer may store, keys of 72 hours most of all; of the 10 GB that an object may hold. */
  bufferBytes: 8 * 1024 * 1024 * 1024,
  /** Past it, a service to which most of the keys belong is refused, so that it leaves room to others. */
  bufferBytesOfOne: 6 * 1024 * 1024 * 1024,
  /** Different failures that are kept of one function; further ones are counted together. */
  failuresPerFunction: 100,
  /** Functions told apart in one service, and services told apart; calls past them are counted together. */
  functionsPerService: 1_000,
  services: 100,
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
