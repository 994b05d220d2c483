/** Makes a wrapper look like what it wraps. */

/**
 * Gives the wrapper the name, length, prototype and properties of the function. Properties that can change are the
 * function's own, read and written through: a function that keeps a counter on itself goes on to show it.
 */
export function disguise(wrapper: Function, fn: Function): Function {
  wrapper.prototype = fn.prototype;
  for (const key of Reflect.ownKeys(fn)) {
    const property = Object.getOwnPropertyDescriptor(fn, key)!;
    Object.defineProperty(
      wrapper,
      key,
      property.writable === false || !property.configurable
        ? property
        : {
            configurable: true,
            enumerable: property.enumerable!,
            get() {
              return Reflect.get(fn, key, this === wrapper ? fn : this);
            },
            set(value) {
              Reflect.set(fn, key, value, this === wrapper ? fn : this);
            },
          },
    );
  }
  return Object.setPrototypeOf(wrapper, Object.getPrototypeOf(fn) as object | null) as Function;
}
