/** Where a call ends: with its result, or with what that result comes to. */
import { watchGenerator } from "./generator.ts";
import type { CallOptions } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import { watchThenable } from "./thenable.ts";
import { followStream } from "./stream.ts";

/** A call whose end is still to come. The first end counts. */
export interface Call {
  startMs: number;
  /** It ends in a result, which is given back. Never throws. */
  end: (result: unknown, threw?: boolean) => unknown;
  /** It ends in an error, which is thrown again. */
  fail: (error: unknown) => never;
}

/** What to do with what a function gave or threw. It gives what the caller is to get, or throws that again. */
type Settle = (recorder: Recorder, startMs: number, result: unknown, threw?: boolean) => unknown;

/** @throws where the function is a proxy that does not say of what kind it is */
export function createSettle(fn: Function, { isError, ignoreAborts, stream }: CallOptions): Settle {
  const kind = (fn as { [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  const followsStreams = stream === "end";
  const isAlwaysMore = isError || followsStreams || kind;
  const watched = new WeakSet();

  const follow = (
    recorder: Recorder | undefined,
    startMs: number,
    result: unknown,
    threw: unknown,
  ): unknown => {
    const call: Call = {
      startMs,
      end(value, threw) {
        let isFailure = threw;
        try {
          isFailure = threw ? !ignoreAborts || (value as Error).name !== "AbortError" : isError?.(value);
        } catch {
          // An error without a name is an error; a result that cannot be judged is none.
        }
        recorder?.(call.startMs, isFailure, value);
        recorder = undefined;
        return value;
      },
      fail(error) {
        throw call.end(error, true);
      },
    };
    const deliver = (value: unknown) => (followsStreams && followStream(value, call)) || call.end(value);

    if (threw) call.fail(result);
    try {
      const promise = result as Promise<unknown>;
      if (/Generator/.test(kind!)) return watchGenerator(promise, call);
      if (typeof promise.then === "function") {
        // Whatever has a `then` of its own may be waiting for someone to call it.
        // oxlint-disable-next-line typescript/unbound-method -- not called
        if (promise.then !== Promise.prototype.then) {
          // Of one that comes again and again, only the first call sees more than that it came.
          if (watched.has(promise)) return call.end(promise);
          watched.add(promise);
          return watchThenable(promise, call);
        }
        const next = promise.then(deliver, call.fail);
        // An async function's promise is new, and nobody's yet. One that takes its place leaves a rejection that
        // nobody handles unhandled, as it was; a look at the original has handled it.
        if (kind === "AsyncFunction" || followsStreams) return next;
        // Any other promise the caller may know, so it gets that very one.
        next.catch(() => {});
        return result;
      }
    } catch {
      // Such as a query that is frozen: of this call, all there is to see is that it gave one.
    }
    return deliver(result);
  };

  return (recorder, startMs, result, threw) => {
    let isMore: unknown = threw || isAlwaysMore;
    try {
      isMore ||= (result as { then?: unknown } | undefined)?.then;
    } catch {
      // A result like any other.
    }
    if (isMore) return follow(recorder, startMs, result, threw);
    // Most results are the end of their call, which allocates nothing.
    recorder(startMs);
    return result;
  };
}
