/** The limits of what senders may post. Sizes are in bytes, lengths in UTF-16 code units. */
import { MAX_BUCKET, MIN_BUCKET } from "../stats/histogram.ts";

export const ingestLimits = {
  // One `POST /samples`.

  /** The body, after decompression. */
  bodyBytes: 1024 * 1024,
  /** A body with its token inside, which is parsed before the token is checked. Browsers send beacons up to this size. */
  beaconBytes: 64 * 1024,
  samplesPerBatch: 5_000,
  idempotencyKeyLength: 128,

  // One sample.

  serviceLength: 100,
  moduleLength: 200,
  functionLength: 200,
  /** WARNING: idempotency keys must be kept for longer. Otherwise a late retry counts a second time. */
  sampleAgeMs: 48 * 60 * 60 * 1000,
  callsPerSample: 1_000_000_000,
  /**
   * All durations of one sum, in milliseconds: about three years. Merged sums are exact below 2^53 microseconds, which is
   * 285 years of calls of one function. Above that they are approximate.
   */
  sumMs: 1e11,
  /** Different buckets in one histogram: as many as there are for durations from 1 ns to 7 days. */
  histogramEntries: MAX_BUCKET - MIN_BUCKET + 1,
  failuresPerSample: 100,
  /** Longer failure texts are truncated. A long message must not cause the rejection of its call. */
  failureNameLength: 100,
  failureMessageLength: 500,

  // The answer.

  /** Rejected samples that an answer explains one by one. It counts all of them. */
  reasonsPerBatch: 100,

  // One group of batches, recorded by one request to the buffer.

  batchesPerGroup: 64,
  deltasPerGroup: 5_000,
  /** The bodies of all batches together. A single larger batch makes a group of its own. */
  bodyBytesPerGroup: 2 * 1024 * 1024,
  /** The merged deltas as the buffer stores them. Durable Objects reject rows of 2 MB; the local runtime does not. */
  storedBytesPerGroup: 1_500_000,
} as const;
