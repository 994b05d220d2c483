/** Results that may not be the end of their call. */
import { now } from "./runtime.ts";
import { watchGenerator } from "./generator.ts";
import type { CallOptions } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import { type Thenable, watchThenable } from "./thenable.ts";
import { followStream } from "./stream.ts";

/** A call whose end is still to come. The first end counts. */
export interface Call {
  /** It ends in a result, which is given back. Never throws. */
  end: (result: unknown, threw?: boolean) => unknown;
  /** It ends in an error, which is thrown again. */
  fail: (error: unknown) => never;
}

/** What to do with what a function gave or threw. It gives what the caller is to get, or throws that again. */
type Settle = (recorder: Recorder | undefined, startMs: number, result: unknown, threw?: boolean) => unknown;

export function createSettle(fn: Function, { isError, ignoreAborts, stream }: CallOptions): Settle {
  const followsStreams = stream === "end";

  return (recorder, startMs, result, threw) => {
    const call: Call = {
      end(value, threw) {
        let isFailure = threw;
        try {
          isFailure = threw ? !ignoreAborts || (value as Error).name !== "AbortError" : isError?.(value);
        } catch {
          // An error without a name is an error; a result that cannot be judged is none.
        }
        recorder?.(startMs, isFailure, value);
        recorder = undefined;
        return value;
      },
      fail(error) {
        call.end(error, true);
        throw error;
      },
    };
    const deliver = (value: unknown) => (followsStreams && followStream(value, call)) || call.end(value);

    if (threw) call.fail(result);
    try {
      const promise = result as Promise<unknown>;
      const kind = (fn as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];
      if (/Generator/.test(kind)) return watchGenerator(promise, call);
      if (typeof promise.then === "function") {
        // Whatever has a `then` of its own may be waiting for someone to call it.
        if (promise.then !== Promise.prototype.then) {
          return watchThenable(promise as unknown as Thenable, (outcome) => {
            startMs = now();
            return outcome.then(call.end, call.fail);
          });
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
      // Such as a query that is frozen, or known already: of this call, all there is to see is that it gave one.
    }
    return deliver(result);
  };
}
