/** Thenables that do nothing until they are awaited, such as a query that is still being built. */

export interface Thenable {
  then: (this: unknown, ...handlers: unknown[]) => unknown;
}

/**
 * Shows what a thenable comes to when, and only if, somebody awaits it. It stays the object that it is.
 *
 * @throws {TypeError} where it cannot
 */
export function watchThenable(
  thenable: Thenable,
  show: (outcome: Promise<unknown>) => Promise<unknown>,
): Thenable {
  const { then } = thenable;
  return override(thenable, "then", function (this: unknown, ...handlers: []) {
    const outcome = new Promise((...settle) => {
      then.apply(this, settle);
    });
    return show(outcome).then(...handlers);
  });
}

/**
 * Puts a method in the place of another, where loops over the object and copies of it do not see it.
 *
 * @throws {TypeError} where that is not possible, or was done before: a result that comes again and again must not
 *   carry ever more of them
 */
export function override<T extends object>(target: T, key: string, value: Function): T {
  return Object.defineProperty(target, key, { value });
}
