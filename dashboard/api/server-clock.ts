/** Estimates the server's time from the `Date` headers of its answers, because the browser's clock may be wrong. */

/** A `Date` header has whole seconds: the true time lies up to this much after it. */
const HEADER_STEP_MS = 1000;

const startedAt = { date: Date.now(), performance: performance.now() };
let offsetMs = 0;
let source: "none" | "server" | "browser" = "none";

/**
 * The browser's clock in epoch milliseconds. It never goes back, and it goes on while the computer sleeps:
 * `performance.now()` may stop during sleep, and `Date.now()` may be set back.
 */
export function browserNow(): number {
  const elapsed = Math.max(Date.now() - startedAt.date, performance.now() - startedAt.performance);
  return startedAt.date + elapsed;
}

/** The server's time in epoch milliseconds. Until the first answer it is the browser's. */
export function serverNow(): number {
  return browserNow() + offsetMs;
}

/**
 * Learns from one answer. The times are `browserNow()` before the request and after the answer. The server wrote the
 * header between them, so the offset lies in a known interval; it changes only if it lies outside.
 */
export function learnServerTime(header: string | null, sentAt: number, receivedAt: number): void {
  const date = Date.parse(header ?? "");
  if (Number.isNaN(date)) {
    if (source === "none") source = "browser";
    return;
  }
  source = "server";
  const [least, most] = [date - receivedAt, date + HEADER_STEP_MS - sentAt];
  offsetMs = Math.min(Math.max(offsetMs, least), most);
}

/** Where `serverNow` comes from: "none" before the first answer, "browser" if answers have no `Date` header. */
export function clockSource(): typeof source {
  return source;
}

/** How far the browser's clock is ahead of the server's, in milliseconds. Negative if it is behind. */
export function browserAheadMs(): number {
  return -offsetMs;
}
