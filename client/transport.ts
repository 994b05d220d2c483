/** Makes one attempt to deliver a batch: by `fetch`, or by a beacon. */
import type { Answer } from "./answer.ts";
import type { Batch } from "./batch.ts";
import { cancelTimer, now, startIdleTimer, wallNow } from "./clock.ts";
import { CLOCK_DRIFT_MS, GZIP_FROM_LENGTH, MAX_ANSWER_LENGTH, MAX_KEEPALIVE_BYTES } from "./limits.ts";
import type { CollectorOptions, FetchedAnswer } from "./options.ts";
import { platform } from "./platform.ts";
import type { Settings } from "./settings.ts";
import type { Timeline } from "./timeline.ts";

export type Transport = ReturnType<typeof createTransport>;

export function createTransport(
  settings: Settings,
  fetcher: NonNullable<CollectorOptions["fetcher"]>,
  timeline: Timeline,
  isPage: boolean,
) {
  const attempts = new Set<AbortController>();

  const exchange = async (batch: Batch, isLeaving: boolean, signal: AbortSignal): Promise<Answer> => {
    const { json } = batch;
    if (!isLeaving && json.length > GZIP_FROM_LENGTH && platform.CompressionStream) {
      const stream = new Response(json).body!.pipeThrough(new CompressionStream("gzip"));
      batch.gzip ??= await new Response(stream).arrayBuffer();
    }
    const { gzip } = batch;
    const { token } = settings;
    // With `keepalive`, the browser finishes the request even if the page is gone.
    batch.isHandedOver = isPage && (isLeaving || (gzip?.byteLength ?? json.length) < MAX_KEEPALIVE_BYTES);
    const init: RequestInit & { keepalive: boolean } = {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": batch.key,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(gzip && { "Content-Encoding": "gzip" }),
      },
      body: gzip ?? json,
      signal,
      // Following a redirect would turn the POST into a GET, whose answer says nothing about the batch.
      redirect: "manual",
      keepalive: batch.isHandedOver,
    };
    let answered: PromiseLike<FetchedAnswer>;
    // `fetch` may be a wrapped function. The collector does not report itself.
    timeline.isMuted = true;
    try {
      answered = fetcher.fetch(addressOf(settings, batch), init);
    } finally {
      timeline.isMuted = false;
    }
    const response = await answered;
    const text = await readText(response);
    return { status: response.status, text, retryAfter: response.headers.get("Retry-After") };
  };

  return {
    /**
     * Takes `timeoutMs` at most. With `isLeaving` it calls `fetch` before it returns, so without compression, for which a
     * page that is about to go has no time. Rejects if there is no complete answer; the batch may have arrived all the same.
     */
    async send(batch: Batch, isLeaving: boolean): Promise<Answer> {
      const { timeoutMs } = settings;
      const attempt = new AbortController();
      const { signal } = attempt;
      attempts.add(attempt);
      const timer = startIdleTimer(() => attempt.abort(`nothing came within ${timeoutMs} ms`), timeoutMs);
      // A `fetch` that somebody else wrote may ignore the signal.
      const aborted = new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error(signal.reason as string)));
      });
      try {
        return await Promise.race([exchange(batch, isLeaving, signal), aborted]);
      } finally {
        cancelTimer(timer);
        attempts.delete(attempt);
      }
    },

    abortAll: (): void => {
      for (const attempt of attempts) attempt.abort("the program stopped waiting");
    },
  };
}

/**
 * With the age of the batch, on the monotonic clock, the server dates the calls by its own clock. A header would need the
 * consent of CORS.
 *
 * WARNING: a wrong age could date a batch anew that the server has counted and forgotten, and it would count twice. So
 * there is none if the two clocks disagree, as after a machine's sleep, or if an earlier process made the batch.
 */
export function addressOf({ endpoint }: Settings, { madeMs, madeAt }: Batch): string {
  const ageMs = now() - madeMs;
  const isCertain = Math.abs(wallNow() - madeAt! - ageMs) < CLOCK_DRIFT_MS;
  return isCertain ? `${endpoint}?ageMs=${Math.max(0, Math.round(ageMs))}` : endpoint;
}

/** @throws if the answer is longer than any of the server's, which may have no end */
async function readText(response: FetchedAnswer): Promise<string> {
  const { body } = response as { body?: ReadableStream<Uint8Array> | null };
  if (!body?.getReader) return response.text();
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < MAX_ANSWER_LENGTH) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
  void reader.cancel().catch(() => {});
  throw new Error("the answer is too long");
}
