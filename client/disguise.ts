/** Makes a wrapper look like the function that it wraps. */

/**
 * Gives the wrapper the function's name, length, prototype, source text and properties. Writable properties are read from
 * the function and written to it, so that a function which keeps a counter on itself goes on to show it.
 */
export function disguise(wrapper: Function, fn: Function): void {
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
  // Libraries read the names of parameters from it.
  if (!Object.hasOwn(fn, "toString")) {
    Object.defineProperty(wrapper, "toString", {
      configurable: true,
      writable: true,
      value: () => sourceOf(fn),
    });
  }
  Object.setPrototypeOf(wrapper, Object.getPrototypeOf(fn) as object | null);
}

/** Also of a function without a prototype, or with a `toString` of its own. */
export function sourceOf(fn: Function): string {
  return Function.prototype.toString.call(fn);
}
