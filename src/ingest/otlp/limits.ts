/** The limits of OTLP requests. */

export const otlpLimits = {
  /** The body as sent, if it is compressed and the sender gives its length. */
  compressedBytes: 4 * 1024 * 1024,
  /** The body after decompression. */
  bodyBytes: 16 * 1024 * 1024,
  /** Bodies that one isolate holds at a time. An isolate has 128 MB, and decoding one body takes a few times its size. */
  bodiesInMemoryBytes: 64 * 1024 * 1024,
  /** Different functions and minutes in one request. */
  seriesPerRequest: 50_000,
  /** Batches that one request becomes. Each is a request to the buffer, and the platform limits these. */
  batchesPerRequest: 200,
  /** Deltas in one batch. */
  deltasPerBatch: 5_000,
  /** Size of one batch as the buffer stores it. Below `storedBytesPerGroup`, since times may get other digits. */
  storedBytesPerBatch: 1_400_000,
  /** Different failures of one function and minute. Calls with any other count as errors under one more. */
  failuresPerDelta: 100,
  /** Calls of one data point. */
  callsPerPoint: 1e12,
  /** Sum of the durations of one data point, in milliseconds: exact as whole microseconds. */
  sumMsPerPoint: 1e12,
  /** Sentences about rejected spans or data points in one answer. */
  reasonsPerAnswer: 20,
} as const;
