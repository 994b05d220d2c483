/** A collector that also decorates classes and their members, and wraps objects method by method. */
import { createCollector } from "./collector.ts";
import { decorate, decorateClass, decorateLegacy, wrapAll } from "./decorate.ts";
import type { Engine } from "./engine.ts";
import { methodsOf } from "./front.ts";
import { copyMetadata } from "./metadata.ts";
import type { CallOptions, CollectorOptions, FunctionOptions, MetricsCollector, Wrapper } from "./options.ts";
import type { Wrap } from "./wrap.ts";

export * from "./index.ts";

/** Decorates classes and their members: standard decorators, and `experimentalDecorators`. */
export interface Decorator {
  // oxlint-disable typescript/no-unsafe-function-type -- nothing is called here
  <F extends Function>(
    member: F,
    context:
      | ClassMethodDecoratorContext<any, any>
      | ClassGetterDecoratorContext<any, any>
      | ClassSetterDecoratorContext<any, any>,
  ): F;
  <This, Value>(
    accessor: ClassAccessorDecoratorTarget<This, Value>,
    context: ClassAccessorDecoratorContext<This, Value>,
  ): ClassAccessorDecoratorResult<This, Value>;
  (value: Function, context: ClassDecoratorContext<any>): void;
  /** With `experimentalDecorators`: a method or an accessor. */
  <T>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<T>,
  ): TypedPropertyDescriptor<T> | void;
}

/** Wraps functions, and decorates methods, accessors and classes. They behave as before. */
export interface DecoratingCollector extends MetricsCollector, Decorator {
  (options: FunctionOptions | string): Wrapper & Decorator;
  /**
   * Wraps every method of an object in place, also those of its classes, as `prefix.method`, or without a prefix as
   * `method`. A method that cannot be replaced stays unmeasured.
   */
  all<T extends object>(object: T, options?: CallOptions & { prefix?: string }): T;
  /** Decorates a class: every method of its own. With `experimentalDecorators`, use this instead of `@metricsCollector`. */
  methods(value: Function, context?: ClassDecoratorContext<any>): void;
}

/** As `createMetricsCollector` of the main entry. The collector can also be used as a decorator. */
export function createMetricsCollector(options: CollectorOptions): DecoratingCollector {
  return createCollector(options, createDecoratingFront);
}

/** Distinguishes between wrapping, options first, and the two kinds of decorators. */
function createDecoratingFront(engine: Engine): DecoratingCollector {
  const wrap: Wrap = (fn, ...more) => copyMetadata(fn, engine.wrap(fn, ...more));
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
  return Object.assign(metricsCollector, methodsOf({ ...engine, wrap }), {
    all: (object: object, options?: CallOptions & { prefix?: string }) => wrapAll(wrap, object, options),
    methods: (value: Function) => decorateClass(wrap, value, value.name),
  }) as unknown as DecoratingCollector;
}

/** The second argument of a decorator with `experimentalDecorators`. */
function isKey(value: unknown): value is string | symbol {
  return typeof value === "string" || typeof value === "symbol";
}

/** The second argument of a standard decorator. */
function isContext(value: unknown): value is DecoratorContext {
  return typeof value === "object" && typeof (value as DecoratorContext | null)?.kind === "string";
}
