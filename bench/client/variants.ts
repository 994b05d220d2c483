/** The same function, wrapped by each library as its documentation has it. */
import { autometrics, registerExporter } from "@autometrics/autometrics";
import {
  AggregationType,
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { Counter, Histogram, Registry } from "prom-client";
import {
  AggregationTemporality as FirstTemporality,
  InMemoryMetricExporter as FirstExporter,
  PeriodicExportingMetricReader as FirstReader,
} from "sdk-metrics-1";
import { createMetricsCollector } from "../../client/index.ts";

export type Fn = (a: number, b: number) => number;
export type ObjectFn = (a: number, b: number) => object;
export type AsyncFn = (a: number, b: number) => Promise<number>;
type Wrap = <F extends Fn | ObjectFn | AsyncFn>(fn: F) => F;

/** What a wrapper cannot do without: the clock before and after, and a sum. */
let totalMs = 0;
const clock: Wrap = (fn) =>
  ((a: number, b: number) => {
    const start = performance.now();
    const result = fn(a, b);
    if (result instanceof Promise) {
      return result.then((value) => {
        totalMs += performance.now() - start;
        return value;
      });
    }
    totalMs += performance.now() - start;
    return result;
  }) as never;

/** Sends nothing, so that what is measured is the wrapping. */
const metricsCollector = createMetricsCollector({
  url: "http://127.0.0.1:9",
  service: "bench",
  intervalMs: 86_400_000,
  fetcher: { fetch: () => new Promise<never>(() => {}) },
});

const registry = new Registry();
const labelNames = ["function", "result"] as const;
const calls = new Counter({ name: "function_calls_total", help: "Calls", labelNames, registers: [registry] });
const durations = new Histogram({
  name: "function_calls_duration_seconds",
  help: "Durations",
  labelNames: ["function"] as const,
  registers: [registry],
});
const promClient: Wrap = (fn) =>
  ((a: number, b: number) => {
    const end = durations.startTimer({ function: "add" });
    const finish = (result: "ok" | "error") => {
      end();
      calls.inc({ function: "add", result });
    };
    try {
      const value = fn(a, b);
      if (value instanceof Promise) {
        return value.then(
          (result) => {
            finish("ok");
            return result;
          },
          (error: unknown) => {
            finish("error");
            throw error;
          },
        );
      }
      finish("ok");
      return value;
    } catch (error) {
      finish("error");
      throw error;
    }
  }) as never;

function openTelemetry(
  type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM | AggregationType.EXPONENTIAL_HISTOGRAM,
): Wrap {
  const provider = new MeterProvider({
    views: [{ instrumentName: "*duration*", aggregation: { type } }],
    readers: [
      new PeriodicExportingMetricReader({
        exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
        exportIntervalMillis: 86_400_000,
      }),
    ],
  });
  const meter = provider.getMeter("bench");
  const counter = meter.createCounter("function.calls");
  const histogram = meter.createHistogram("function.calls.duration");
  return (fn) =>
    ((a: number, b: number) => {
      const start = performance.now();
      const finish = (result: "ok" | "error") => {
        histogram.record((performance.now() - start) / 1000, { function: "add" });
        counter.add(1, { function: "add", result });
      };
      try {
        const value = fn(a, b);
        if (value instanceof Promise) {
          return value.then(
            (result) => {
              finish("ok");
              return result;
            },
            (error: unknown) => {
              finish("error");
              throw error;
            },
          );
        }
        finish("ok");
        return value;
      } catch (error) {
        finish("error");
        throw error;
      }
    }) as never;
}

function withAutometrics(): Wrap {
  registerExporter({
    metricReader: new FirstReader({
      exporter: new FirstExporter(FirstTemporality.CUMULATIVE),
      exportIntervalMillis: 86_400_000,
    }) as never,
  });
  return (fn) => autometrics({ functionName: "add", moduleName: "bench" }, fn as never) as never;
}

/** A wrapper each, made when asked for: one that does not run somewhere says so alone. */
export const variants: Record<string, () => Wrap> = {
  bare: () => (fn) => fn,
  "two clock reads and a sum": () => clock,
  "metrics-collector-client": () => metricsCollector,
  "prom-client": () => promClient,
  "OpenTelemetry, explicit buckets": () => openTelemetry(AggregationType.EXPLICIT_BUCKET_HISTOGRAM),
  "OpenTelemetry, exponential": () => openTelemetry(AggregationType.EXPONENTIAL_HISTOGRAM),
  "@autometrics/autometrics": withAutometrics,
};

/** The sum keeps the calls from being optimised away. */
export function loop(fn: Fn, times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += fn(i, 1);
  return sum + (totalMs > 1e300 ? 1 : 0);
}

export function loopObjects(fn: ObjectFn, times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += fn(i, 1) ? 1 : 0;
  return sum;
}

export async function loopAsync(fn: AsyncFn, times: number): Promise<number> {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += await fn(i, 1);
  return sum;
}
