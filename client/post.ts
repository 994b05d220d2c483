/** One attempt to deliver a batch. */
import { page } from "./runtime.ts";
import type { Batch } from "./outbox.ts";
import { GZIP_FROM_LENGTH } from "./limits.ts";
import type { CollectorOptions } from "./options.ts";
import type { State } from "./state.ts";

/** Status 0 is no answer, and the text says why; 1 is none either, and none to come. */
export type Outcome = [status: number, text: string, retryAfter?: string | null];

/** Never rejects. It calls `fetch` before it returns, unless it compresses, which a page that may be gone has no time for. */
export async function post(
  url: string,
  batch: Batch,
  { token, fetcher = globalThis, timeoutMs = 10_000 }: CollectorOptions,
  state: State,
): Promise<Outcome> {
  const { json } = batch;
  try {
    if (state.hidden) {
      // A beacon has no answer. If the page lives on, the batch is sent again, under its key.
      if (!("keepalive" in Request.prototype)) return [+navigator.sendBeacon(url, json), ""];
    } else if (
      json.length > GZIP_FROM_LENGTH &&
      (globalThis as { CompressionStream?: unknown }).CompressionStream
    ) {
      const stream = new Response(json).body!.pipeThrough(new CompressionStream("gzip"));
      batch.gzip ??= await new Response(stream).arrayBuffer();
    }
    const init: RequestInit & { keepalive: boolean } = {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "Idempotency-Key": batch.key,
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(batch.gzip && { "Content-Encoding": "gzip" }),
      },
      body: batch.gzip ?? json,
      signal: AbortSignal.timeout(timeoutMs),
      // A redirect that is followed turns the POST into a GET, whose answer says nothing of the batch.
      redirect: "manual",
      keepalive: !!page(),
    };
    state.muted = true;
    const answered = fetcher.fetch(url, init);
    state.muted = false;
    const response = await answered;
    // An answer that breaks off is none: sent again, the batch gets the same one.
    return [response.status, await response.text(), response.headers.get("Retry-After")];
  } catch (error) {
    state.muted = false;
    return [0, String((error as Error)?.cause || error)];
  }
}
