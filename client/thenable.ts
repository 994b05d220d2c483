/** Measures a thenable that may do nothing until it is awaited, such as a query that is still being built. */
import type { Call } from "./call.ts";
import { now } from "./clock.ts";
import { override } from "./override.ts";

/**
 * The call begins when somebody calls `then`, and ends with the outcome. The object stays the same: its `then` gets what it
 * got, at once, and returns what it returned. `onStart` is called when `then` is called.
 *
 * @throws if the object is frozen
 */
export function watchThenable(thenable: object, then: Function, call: Call, onStart: () => void): void {
  const pass = (value: unknown) => value;
  const fail = (error: unknown) => {
    throw error;
  };
  const watch = (handler: unknown, otherwise: Function, see: (outcome: unknown) => void) =>
    function (this: unknown, ...args: unknown[]): unknown {
      see(args[0]);
      return Reflect.apply(typeof handler === "function" ? handler : otherwise, this, args);
    };
  override(thenable, "then", then, (original, [onResult, onError, ...more]) => {
    onStart();
    call.startMs = now();
    try {
      return original(
        watch(onResult, pass, (result) => call.end(result)),
        watch(onError, fail, (error) => call.fail(error)),
        ...more,
      ) as unknown;
    } catch (error) {
      call.fail(error);
      throw error;
    }
  });
}
