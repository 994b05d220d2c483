/** Wraps functions, sums their calls, and sends the sums to a MetricsCollector Worker. */
import { createEngine, type Engine, OFF } from "./engine.ts";
import { decorate, decorateClass, decorateLegacy, wrapAll } from "./decorate.ts";
import type { CallOptions, CollectorOptions, FunctionOptions, MetricsCollector } from "./options.ts";
import { createReporter } from "./reporter.ts";
import { isDisabled, readSettings } from "./settings.ts";

export type {
  CallOptions,
  CollectorOptions,
  DropReason,
  Dropped,
  FetchedAnswer,
  FlushOptions,
  FunctionOptions,
  MetricsCollector,
  RecordedCall,
  Spool,
  Stats,
  Wrapper,
} from "./options.ts";

/**
 * Makes a collector. It does nothing until a function that it wrapped is called, so it can be made anywhere. A wrong option
 * turns the collector off with a warning, and never breaks the program.
 *
 * @throws {TypeError} if an option is wrong and `strict` is true
 */
export function createMetricsCollector(options: CollectorOptions): MetricsCollector {
  const reporter = createReporter(options ?? {});
  let engine = OFF;
  try {
    if (!isDisabled(options)) engine = createEngine(options, readSettings(options), reporter);
  } catch (error) {
    if (options?.strict) throw error;
    reporter.reportError("options", `${String(error)} Nothing is measured until this is corrected.`);
  }
  return createFront(engine);
}

/** The function that users call. It tells apart wrapping, options first, and the two kinds of decorators. */
function createFront({ wrap, ...engine }: Engine): MetricsCollector {
  const apply =
    (options: FunctionOptions) =>
    (value: unknown, second?: unknown, descriptor?: unknown): unknown => {
      if (isKey(second)) return decorateLegacy(wrap, value as object, second, descriptor, options);
      return isContext(second) ? decorate(wrap, value, second, options) : wrap(value, options);
    };
  const metricsCollector = (first: unknown, second?: unknown, descriptor?: unknown): unknown => {
    const isOptions = typeof first === "string" || (typeof first === "object" && first !== null);
    if (!isOptions || isKey(second) || isContext(second)) return apply({})(first, second, descriptor);
    const options = typeof first === "string" ? { name: first } : first;
    return second === undefined ? apply(options) : apply(options)(second);
  };
  return Object.assign(metricsCollector, engine, {
    all: (object: object, options?: CallOptions & { prefix?: string }) => wrapAll(wrap, object, options),
    methods: (value: Function) => decorateClass(wrap, value, value.name),
    time: (name: string, fn: () => unknown) => (wrap(() => fn(), { name }) as typeof fn)(),
    [Symbol.asyncDispose]: engine.close,
  }) as unknown as MetricsCollector;
}

/** The second argument of a decorator with `experimentalDecorators`. */
function isKey(value: unknown): value is string | symbol {
  return typeof value === "string" || typeof value === "symbol";
}

/** The second argument of a standard decorator. */
function isContext(value: unknown): value is DecoratorContext {
  return typeof value === "object" && typeof (value as DecoratorContext | null)?.kind === "string";
}
