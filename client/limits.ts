/** Every bound of the client, in one place. */

/** Of a function and of a module; the server refuses longer ones. */
export const NAME_LENGTH = 200;
/** The server cuts longer ones. */
export const FAILURE_NAME_LENGTH = 100;
export const FAILURE_MESSAGE_LENGTH = 500;
/** Different failures told apart in one sum; calls that end in any others are errors all the same. */
export const MAX_FAILURES = 10;
/** Half a nanosecond: what rounds to none was not measured. */
export const SHORTEST_MS = 5e-7;
/** Room for every bucket there is, half of it for those below 0. */
export const BUCKETS = 2_000;
/** How late the server takes a sample: 48 hours. */
export const MAX_AGE_MS = 172_800_000;
/**
 * Characters of a batch. At three bytes each, with what the server adds to each sum, it keeps the server's limits: 1 MiB,
 * 5,000 samples, and 1.5 MB as stored.
 */
export const MAX_BATCH_LENGTH = 200_000;
/** The same for a page, all of whose beacons may take 64 KiB. No sum alone takes as much. */
export const MAX_PAGE_BATCH_LENGTH = 20_000;
export const GZIP_FROM_LENGTH = 1_000;
export const MAX_RETRY_AFTER_MS = 3_600_000;
export const MINUTE_MS = 60_000;
/** How many times the first the longest backoff is. */
export const MAX_BACKOFF = 60;
/** How many times the first backoff passes between attempts with a token that is not accepted. */
export const SLOW = 30;
/** What is longer is never. A timer takes 2^31 ms at most; with more it would not wait at all. */
export const MAX_TIMER_MS = 2e9;
/** How often a flush looks whether it is done. */
export const POLL_MS = 9;
/** How long `close`, or a process that has nothing else to do, waits for the metrics. */
export const CLOSE_MS = 10_000;
/** Of the latest invocations of a Worker that sent something, how many are known. */
export const MAX_MARKS = 99;
