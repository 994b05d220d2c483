/** Thenables that may do nothing until they are awaited, such as a query that is still being built. */
import { override } from "./override.ts";
import { now } from "./runtime.ts";
import type { Call } from "./settle.ts";

/**
 * Sees what a thenable comes to when, and only if, somebody awaits it. It stays the object that it is: its `then` takes
 * what it took, at once, and gives what it gave.
 *
 * @throws where it cannot
 */
export function watchThenable<T extends object>(thenable: T, call: Call): T {
  const watch = (handler: unknown, pass: Function, threw?: boolean) =>
    function (this: unknown, ...args: unknown[]): unknown {
      call.end(args[0], threw);
      return Reflect.apply(typeof handler === "function" ? handler : pass, this, args);
    };
  return override(thenable, "then", call, (then, onResult, onError, ...more) => {
    call.startMs = now();
    return then(watch(onResult, call.end), watch(onError, call.fail, true), ...more) as unknown;
  });
}
