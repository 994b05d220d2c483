/** Sends requests with a time limit, learns the server's time from the answers, and knows which requests still wait. */
import { browserNow, learnServerTime } from "./server-clock.ts";

/** A request that takes longer fails. A list of 20,000 functions can take 20 s. */
export const LIMIT_MS = 30_000;

/** When each waiting request was sent. */
const waiting = new Map<object, number>();

/** How long the oldest waiting request has waited, in milliseconds. 0 if none waits. */
export function longestWaitMs(): number {
  return waiting.size === 0 ? 0 : browserNow() - Math.min(...waiting.values());
}

/** Like `fetch`, but resolves only when the whole body has arrived. @throws {Error} a sentence for the reader */
export async function limitedFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_MS);
  const signals = [limit.signal, ...(init.signal ? [init.signal] : [])];
  const sentAt = browserNow();
  const request = {};
  waiting.set(request, sentAt);
  try {
    const response = await fetch(input, { ...init, signal: AbortSignal.any(signals) });
    const headersAt = browserNow();
    const body = await response.arrayBuffer();
    learnServerTime(response.headers.get("Date"), sentAt, headersAt);
    return new Response(body, response);
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Error(reasonFor(limit.signal.aborted), { cause: error });
  } finally {
    clearTimeout(timer);
    waiting.delete(request);
  }
}

function reasonFor(isLate: boolean): string {
  if (isLate) return `The server did not answer within ${LIMIT_MS / 1000} seconds.`;
  return navigator.onLine ? "The server could not be reached." : "This device is offline.";
}
