/** Measures native promises. Nothing here asks the global `Promise`, which libraries replace. */

// oxlint-disable-next-line typescript/no-empty-function -- only its promise is wanted
const NativePromise = (async () => {})().constructor as PromiseConstructor;
// oxlint-disable-next-line typescript/unbound-method -- called on the promise that it is given
const nativeThen = NativePromise.prototype.then;

/**
 * Whether `await` sees this promise without calling its `then` method. A subclass, or a promise with a `then` of its own,
 * is not such a promise: it may wait until somebody calls it.
 */
export function isNativePromise(value: object): value is Promise<unknown> {
  // oxlint-disable-next-line typescript/unbound-method -- compared, not called
  return (
    value.constructor === NativePromise && (value as Promise<unknown>).then === NativePromise.prototype.then
  );
}

/** As `promise.then`, even where a library has replaced that method. */
export function react<T>(
  promise: unknown,
  onResult: (result: unknown) => T,
  onError: (error: unknown) => T,
): Promise<T> {
  return nativeThen.call(promise, onResult, onError) as Promise<T>;
}
