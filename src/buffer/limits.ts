/** The limits of the buffer. Sizes are in bytes. The parts of the buffer get them in their constructors. */

export const bufferLimits = {
  /**
   * Unconfirmed flushes, without dead letters. When there are this many, the buffer seals no more and merges pending deltas
   * in place. One alarm sends at most this many flushes again.
   */
  unconfirmedFlushes: 16,
  /**
   * Size of the deltas in one flush. A queue message may have 128 KB; the rest is for the other fields and the queue's own
   * metadata.
   */
  flushBytes: 120_000,
  /** The queue takes 256 KB in one `sendBatch`. */
  flushesPerSend: 2,
  /** Pending deltas of this size are sealed early, so that merging them fits the object's 128 MB of memory. */
  flushedEarlyBytes: 2 * 1024 * 1024,
  /** Above this size of pending deltas the buffer rejects batches. It is reached only if D1 does not confirm flushes. */
  pendingBytes: 8 * 1024 * 1024,
  /** Above this size of unconfirmed flushes the buffer rejects batches. Most of these flushes are then dead letters. */
  unconfirmedBytes: 32 * 1024 * 1024,
  /**
   * Size of all flushes in the outbox: unconfirmed and kept ones. Kept ones leave early, so that it is not exceeded. The
   * unconfirmed ones alone stay well below it.
   */
  outboxBytes: 96 * 1024 * 1024,
  /** Confirmed flushes that are kept in case D1 is restored to an earlier time. At the default settings, 24 hours make 288. */
  keptFlushes: 5_000,
  /** Kept flushes that D1 lacks are sent again while unconfirmed flushes are below this size, so that batches still find room. */
  recalledBytes: 16 * 1024 * 1024,
  /** Above this size of its whole storage the buffer rejects batches. The platform allows 10 GB; most of it is keys. */
  bufferBytes: 8 * 1024 * 1024 * 1024,
  /** Above this size the buffer rejects the service that owns most keys, so that other services can still write. */
  bufferBytesOfOne: 6 * 1024 * 1024 * 1024,
  /** Size of one row of pending deltas, or of streams. Durable Objects reject rows of 2 MB; the local runtime does not. */
  storedBytesPerRow: 1_500_000,
  /** Functions that one service may have. Calls of further functions count under one name. */
  functionsPerService: 1_000,
  /** Services that the buffer may have. Calls of further services count under one name. */
  services: 100,
  /** Dropped dead letters that are remembered, so that a repeated request to drop one gets the first answer again. */
  droppedFlushes: 64,
  /** For how many milliseconds they are remembered. */
  droppedKeptMs: 72 * 60 * 60 * 1000,
  /** Size of one snapshot page: of its sealed flushes and of its pending rows, each. An RPC answer may have 32 MiB. */
  snapshotPageBytes: 4 * 1024 * 1024,
};

export type BufferLimits = Readonly<typeof bufferLimits>;
