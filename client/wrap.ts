/** The wrapper itself: what it wraps does what it did, and is counted. */
import { disguise } from "./disguise.ts";
import type { CallOptions, FunctionOptions } from "./options.ts";
import type { Recorder } from "./recorder.ts";
import { createSettle } from "./settle.ts";
import type { State } from "./state.ts";
import { now } from "./runtime.ts";

/**
 * Wraps a function; what is wrapped already stays as it is, and so does what cannot be wrapped. `nameOf` says what
 * a method is called, once it is called on something.
 */
export type Wrap = (fn: unknown, options: FunctionOptions, nameOf?: (self: unknown) => string) => unknown;

export function createWrap(
  defaults: CallOptions,
  state: State,
  find: (name?: string, module?: string) => Recorder,
): Wrap {
  const ignore: Recorder = () => {};
  const wrappers = new WeakSet<object>();

  return (fn, options, nameOf) => {
    if (typeof fn !== "function" || wrappers.has(fn)) return fn;
    try {
      const settings = { __proto__: defaults, ...options } as FunctionOptions;
      const settle = createSettle(fn, settings);
      let recorder: Recorder | undefined;

      const findRecorder = (self: unknown): Recorder => {
        try {
          return (recorder = find(options.name ?? nameOf?.(self) ?? fn.name, settings.module));
        } catch {
          // A method called on nothing cannot tell its class; its next call may.
          return find(fn.name, settings.module);
        }
      };

      // Every call goes through here. It allocates nothing: `arguments` is only ever passed on.
      const wrapper = function (this: unknown): unknown {
        const record = state.muted ? ignore : (recorder ?? findRecorder(this));
        const startMs = now();
        let result: unknown;
        try {
          result = new.target
            ? // A class that asks what is being made is told what it would have been told.
              Reflect.construct(fn, arguments, new.target === wrapper ? fn : new.target)
            : Reflect.apply(fn, this, arguments);
        } catch (error) {
          return settle(record, startMs, error, true);
        }
        return settle(record, startMs, result);
      };
      wrappers.add(disguise(wrapper, fn));
      return wrapper;
    } catch {
      // Such as a proxy that lets nobody look at its properties.
      return fn;
    }
  };
}
