/** Every bound of the client, in one place. */

/** Characters in the name of a function or a module. The server rejects longer ones. */
export const NAME_LENGTH = 200;
/** Characters in the name of a service. The server rejects longer ones. */
export const SERVICE_LENGTH = 100;
/** The server truncates longer ones. */
export const FAILURE_NAME_LENGTH = 100;
export const FAILURE_MESSAGE_LENGTH = 500;
/** Different failures in one sum. Calls that fail in any other way still count as errors. */
export const MAX_FAILURES = 10;
/** Half a nanosecond. Shorter differences of two clock readings are rounding errors. */
export const SHORTEST_MS = 5e-7;
/** The oldest sample that the server accepts: 48 hours. */
export const MAX_AGE_MS = 172_800_000;
/**
 * Characters of a batch. At three bytes each, with what the server adds to each sum, this stays below the server's limits:
 * 1 MiB, 5,000 samples, and 1.5 MB as stored.
 */
export const MAX_BATCH_LENGTH = 200_000;
/**
 * Characters of a batch that a page sends when it is hidden. Browsers allow 64 KiB in flight for all such requests of
 * a page together, other libraries included, so that smaller pieces use more of it.
 */
export const MAX_LEAVING_LENGTH = 15_000;
/** Bytes of a body that may still use that allowance while the page is visible. */
export const MAX_KEEPALIVE_BYTES = 30_000;
export const GZIP_FROM_LENGTH = 1_000;
/** Characters of an answer that are read. The longest answer of the server is a third of this. */
export const MAX_ANSWER_LENGTH = 100_000;
export const MAX_RETRY_AFTER_MS = 3_600_000;
export const MINUTE_MS = 60_000;
/** How long a call can pass before the wall clock is read again. After a machine's sleep, calls of this long are misdated. */
export const CHECK_CLOCK_MS = 1_000;
/** The longest backoff, as a multiple of the first. */
export const MAX_BACKOFF = 60;
/** The pause after an answer that only a person can change, as a multiple of the first backoff. */
export const SLOW_RETRY = 30;
/** The shortest time between two POSTs that are sent early because many sums wait. */
export const EARLY_GAP_MS = 1_000;
/** A timer takes at most 2^31 ms. A longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;
/** An interval above this means "never". */
export const MAX_INTERVAL_MS = 2e9;
/** How often a flush checks whether it is done. */
export const POLL_MS = 9;
export const FLUSH_MS = 10_000;
/** How long a process that ends by itself waits for the metrics. */
export const EXIT_MS = 2_000;
/** How often to check whether only the collector's own request keeps the process alive. */
export const IDLE_CHECK_MS = 250;
/** Workers keep an invocation alive for 30 s after its answer. The rest is for the POST itself. */
export const MAX_WORKER_INTERVAL_MS = 20_000;
/** How long sums are sealed before the event loop turns. One sum takes about 10 µs. */
export const SEALING_MS = 0.5;
/** Results that may still be waiting for their first `await`, `next` or read. */
export const MAX_UNSTARTED = 1_000;
/** How often the console says that calls are being lost. */
export const WARN_AGAIN_MS = 60_000;
/** How often a waiting invocation checks whether a flush has sent everything. */
export const WORKER_CHECK_MS = 500;
/** How often unsent sums are stored, if a spool is given. */
export const SPOOL_MS = 2_000;
/** How late a timer must be to count as lost. */
export const OVERDUE_MS = 5_000;
/** By how much two clocks may differ before the wall clock counts as set. */
export const CLOCK_DRIFT_MS = 10_000;
/** Characters that a sample's time adds to it. */
export const TIME_LENGTH = 20;
