/** Measures a `ReadableStream`, or a `Response` with a body, to the end of the stream. */
import type { Call } from "./call.ts";
import { watchGenerator } from "./generator.ts";

/** What the caller gets instead of the result; undefined if there is no stream to follow. */
export function followStream(result: unknown, call: Call, onStart: () => void): unknown {
  const follow = (stream: ReadableStream): ReadableStream =>
    (ReadableStream as unknown as { from(chunks: AsyncIterable<unknown>): ReadableStream }).from(
      watchGenerator(stream.values(), call, onStart, () => call.end(result)),
    );
  try {
    if (result instanceof ReadableStream) return follow(result);
    // A server can answer with status codes that the `Response` constructor does not accept.
    if (result instanceof Response && result.status < 600) return new Response(follow(result.body!), result);
  } catch {
    // Somebody reads the stream already, or this runtime has no streams or no `ReadableStream.from`.
  }
  return undefined;
}
