/** Finds out when a call ends: with its result, or with what that result turns into. */
import { Call, hasThen } from "./call.ts";
import { watchGenerator } from "./generator.ts";
import type { CallOptions } from "./options.ts";
import { isNativePromise, react } from "./promise.ts";
import { followStream } from "./stream.ts";
import type { FunctionSum } from "./sum.ts";
import { watchThenable } from "./thenable.ts";
import type { Timeline } from "./timeline.ts";

/** Ends a call, now or later. Returns what the caller is to get. */
export type Settle = (sum: FunctionSum, startMs: number, result: unknown) => unknown;

/** For the calls of one function. `kind` is its `Symbol.toStringTag`, which tells generators and async functions apart. */
export function createSettle(kind: string, options: CallOptions, timeline: Timeline): Settle {
  const isAsync = kind === "AsyncFunction";
  const isGenerator = kind.endsWith("GeneratorFunction");
  const followsStreams = options.stream === "end";
  /** Every result needs a closer look. */
  const isNeverPlain = isGenerator || followsStreams || !!options.isError;
  /** Thenables that are watched already. */
  const watched = new WeakSet();
  /** Calls by the pending promise that they returned. One reaction serves all of them. */
  const waiting = new WeakMap<object, Call[]>();

  /** A result that nobody has begun to use counts as a call without a duration when the next report is made. */
  const expectStart = (call: Call) => timeline.expectStart(() => call.endUnmeasured());

  const deliver = (call: Call, result: unknown): unknown =>
    (followsStreams && followStream(result, call, expectStart(call))) || call.end(result);

  const watchPromise = (call: Call, promise: Promise<unknown>): Promise<unknown> => {
    // The promise of an async function is new, and nobody else has it. Its replacement leaves a rejection that nobody
    // handles unhandled, as it was; looking at the original would have handled it.
    if (isAsync || (followsStreams && !Reflect.ownKeys(promise).length)) {
      return react(
        promise,
        (result) => deliver(call, result),
        (error) => {
          call.fail(error);
          throw error;
        },
      );
    }
    // Others may know any other promise, so the caller gets that very one.
    const calls = waiting.get(promise) ?? [];
    if (calls.push(call) > 1) return promise;
    waiting.set(promise, calls);
    const endAll = (end: (call: Call) => void): void => {
      waiting.delete(promise);
      calls.forEach(end);
    };
    void react(
      promise,
      (result) => endAll((each) => each.end(result)),
      (error) => endAll((each) => each.fail(error)),
    );
    return promise;
  };

  const watch = (call: Call, result: unknown): unknown => {
    try {
      if (isGenerator) {
        return watchGenerator(result as object, call, expectStart(call), (value) => call.end(value));
      }
      if (hasThen(result)) {
        if (isNativePromise(result)) return watchPromise(call, result);
        const { then } = result;
        if (typeof then === "function") {
          if (watched.has(result)) {
            call.endUnmeasured();
          } else {
            watched.add(result);
            watchThenable(result, then, call, expectStart(call));
          }
          return result;
        }
      }
    } catch {
      // A frozen query, or a hostile `then`: the call counts, and nothing more is known about it.
    }
    return deliver(call, result);
  };

  return (sum, startMs, result) => {
    if (isNeverPlain || hasThen(result)) return watch(new Call(sum, startMs, options), result);
    // Most results are the end of their call. That allocates nothing.
    sum.end(startMs);
    return result;
  };
}
