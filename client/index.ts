/** Wraps functions, sums what their calls do, and posts the sums to a MetricsCollector Worker. */
import type { CollectorOptions, FunctionOptions, MetricsCollector } from "./options.ts";
import { decorate, wrapAll } from "./decorate.ts";
import { createWrap } from "./wrap.ts";
import type { State } from "./state.ts";
import { createTell } from "./report.ts";
import { createRegistry } from "./registry.ts";
import { createOutbox } from "./outbox.ts";
import { createSchedule } from "./schedule.ts";

export type {
  CallOptions,
  CollectorOptions,
  DropReason,
  Dropped,
  FlushOptions,
  FunctionOptions,
  MetricsCollector,
  Stats,
  Wrapper,
} from "./options.ts";

/** Makes a collector. It does nothing until a function that it wrapped is called, and so may be made anywhere. */
export function createMetricsCollector(options: CollectorOptions): MetricsCollector {
  const state = { seen: 0, open: new Set() } as State;
  const tell = createTell();
  const stats = createOutbox(options, state, tell);
  const wrap = createWrap(options, state, createRegistry(options, state, tell));
  const schedule = createSchedule(options, state);

  const apply =
    (options: FunctionOptions) =>
    (value: unknown, context?: unknown): unknown =>
      context ? decorate(wrap, value, context as DecoratorContext, options) : wrap(value, options);
  const metricsCollector = (first: unknown, second?: unknown): unknown => {
    if (typeof first !== "object") return apply({})(first, second);
    return second ? wrap(second, first as FunctionOptions) : apply(first as FunctionOptions);
  };
  return Object.assign(metricsCollector, schedule, {
    all: (object: object, options?: object) => wrapAll(wrap, object, options),
    stats,
    [Symbol.asyncDispose]: schedule.close,
  }) as unknown as MetricsCollector;
}
