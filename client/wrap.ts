/** Wraps functions: a wrapped function does what it did, and its calls are counted. */
import { Call } from "./call.ts";
import { now } from "./clock.ts";
import { disguise } from "./disguise.ts";
import type { CallOptions, FunctionOptions } from "./options.ts";
import { react } from "./promise.ts";
import type { FindSum } from "./registry.ts";
import type { Reporter } from "./reporter.ts";
import { createSettle } from "./settle.ts";
import type { FunctionSum } from "./sum.ts";
import type { Timeline } from "./timeline.ts";

/**
 * Returns anything that is wrapped already, or cannot be wrapped, as it is. `nameOf` returns the name of a method, once it
 * is called on an object; it may throw.
 */
export type Wrap = (fn: unknown, options: FunctionOptions, nameOf?: (self: unknown) => string) => unknown;

/** Names up to this length are probably a minifier's. */
const SHORT_NAME_LENGTH = 2;

export function createWrap(
  defaults: CallOptions,
  timeline: Timeline,
  find: FindSum,
  { warnOnce }: Reporter,
): Wrap {
  const wrappers = new WeakSet<object>();
  const shortNames = new Set<string>();

  const checkName = (name: string): void => {
    if (name.length > SHORT_NAME_LENGTH) return;
    if (shortNames.has(name)) {
      warnOnce(
        "name",
        `Several functions are named "${name}" and count together. Name them: metricsCollector("total", fn), or use metrics-collector-client/names.`,
      );
    }
    shortNames.add(name);
  };

  return (fn, options, nameOf) => {
    if (typeof fn !== "function" || wrappers.has(fn)) return fn;
    try {
      const settings: FunctionOptions = { ...defaults, ...options };
      const kind = String((fn as { [Symbol.toStringTag]?: string })[Symbol.toStringTag]);
      const settle = createSettle(kind, settings, timeline);
      let known: FunctionSum | undefined;
      const findSum = (self: unknown): FunctionSum => {
        try {
          return (known = find(options.name ?? nameOf?.(self) ?? fn.name, settings.module));
        } catch {
          // A method that is called on nothing does not know its class. Its next call may.
          return find(fn.name, settings.module);
        }
      };

      /** An async function throws nothing, and returns a promise that nobody else has. That makes it cheaper to watch. */
      const asyncWrapper = function (this: unknown): unknown {
        if (timeline.isMuted) return Reflect.apply(fn, this, arguments);
        const sum = known ?? findSum(this);
        const startMs = now();
        return react(
          Reflect.apply(fn, this, arguments),
          (result) => {
            sum.end(startMs);
            return result;
          },
          (error) => {
            new Call(sum, startMs, settings).fail(error);
            throw error;
          },
        );
      };

      /** Every call of other functions goes through here. It allocates nothing: `arguments` is only passed on. */
      const anyWrapper = function (this: unknown): unknown {
        if (timeline.isMuted) return Reflect.apply(fn, this, arguments);
        const sum = known ?? findSum(this);
        const startMs = now();
        let result: unknown;
        try {
          result = new.target
            ? Reflect.construct(
                fn,
                arguments,
                new.target === anyWrapper ? newTargetOf(fn, anyWrapper) : new.target,
              )
            : Reflect.apply(fn, this, arguments);
        } catch (error) {
          new Call(sum, startMs, settings).fail(error);
          throw error;
        }
        return settle(sum, startMs, result);
      };

      const isPlainAsync = kind === "AsyncFunction" && !settings.isError && settings.stream !== "end";
      const wrapper = isPlainAsync ? asyncWrapper : anyWrapper;
      disguise(wrapper, fn);
      wrappers.add(wrapper);
      if (!options.name && !nameOf) checkName(fn.name);
      return wrapper;
    } catch {
      // A proxy that does not let anybody look at its properties.
      return fn;
    }
  };
}

/**
 * What a class sees as `new.target` if its wrapper is called with `new`. Normally it is the class itself, since abstract
 * classes compare the two. A custom element must see the class that is registered, or the browser refuses to make it.
 */
function newTargetOf(fn: Function, wrapper: Function): Function {
  const { HTMLElement, customElements } = globalThis as {
    HTMLElement?: new () => object;
    customElements?: { getName?(constructor: Function): string | null };
  };
  const isElement = HTMLElement && fn.prototype instanceof HTMLElement;
  return isElement && !customElements?.getName?.(fn) ? wrapper : fn;
}
