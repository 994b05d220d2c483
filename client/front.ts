/** The function that users call: it wraps a function, or takes its options first. */
import type { Engine } from "./engine.ts";
import type { MetricsCollector } from "./options.ts";
import type { Reporter } from "./reporter.ts";

export function createFront(engine: Engine, { warnOnce }: Reporter): MetricsCollector {
  const { wrap } = engine;
  const metricsCollector = (first: unknown, second?: unknown): unknown => {
    // A decorator that returns nothing leaves the class and its member as they are.
    if (second && typeof second !== "function") {
      return warnOnce("decorator", "For decorators, import from metrics-collector-client/decorators.");
    }
    const options = typeof first === "string" ? { name: first } : first;
    if (typeof options !== "object" || !options) return wrap(first, {});
    return second ? wrap(second, options) : (fn: unknown) => wrap(fn, options);
  };
  return Object.assign(metricsCollector, methodsOf(engine)) as unknown as MetricsCollector;
}

/** The methods of every collector. */
export function methodsOf({ wrap, ...engine }: Engine) {
  return {
    ...engine,
    time: (name: string, fn: () => unknown) => (wrap(() => fn(), { name }) as typeof fn)(),
    [Symbol.asyncDispose]: engine.close,
  };
}
