/** Replaces one method of one object. */

/**
 * The property is not enumerable, so loops and object spread skip it. `method` gets the original, bound to the object.
 *
 * @throws if the object is frozen
 */
export function override(
  target: object,
  key: string,
  original: Function,
  method: (original: Function, args: unknown[]) => unknown,
): void {
  const value = function (this: unknown, ...args: unknown[]): unknown {
    return method(original.bind(this) as Function, args);
  };
  Object.defineProperty(target, key, { configurable: true, writable: true, value });
}
