/** Streams whose end is the end of the call: a `ReadableStream`, or a `Response` with a body. */
import { watchGenerator } from "./generator.ts";
import type { Call } from "./settle.ts";

/** What to give the caller instead, so that the end is seen; undefined where there is no stream to follow. */
export function followStream(result: unknown, call: Call): unknown {
  const follow = (stream: ReadableStream): ReadableStream =>
    (ReadableStream as unknown as { from(chunks: AsyncIterable<unknown>): ReadableStream }).from(
      watchGenerator(stream.values(), { ...call, end: () => call.end(result) }),
    );
  try {
    if (result instanceof ReadableStream) return follow(result);
    // What nobody may make a `Response` with, a server may answer all the same.
    if (result instanceof Response && result.status < 600) return new Response(follow(result.body!), result);
  } catch {
    // Such as a stream that somebody reads already, or a browser that cannot make one of another.
  }
  return undefined;
}
