/** A method in the place of another, on one object alone. */
import type { Call } from "./settle.ts";

/**
 * Loops over the object, and copies of it, do not see it. It is given the original, bound; what it throws is the end of
 * the call.
 *
 * @throws where it is not possible: on an object that is frozen, or a proxy that goes on giving its own
 */
export function override<T extends object>(
  target: T,
  key: string,
  call: Call,
  method: (original: Function, ...args: unknown[]) => unknown,
): T {
  const methods = target as Record<string, Function>;
  const original = methods[key]!;
  const value = function (this: unknown, ...args: unknown[]): unknown {
    try {
      return method(original.bind(this) as Function, ...args);
    } catch (error) {
      return call.fail(error);
    }
  };
  Object.defineProperty(target, key, { configurable: true, value });
  if (methods[key] !== value) throw value;
  return target;
}
