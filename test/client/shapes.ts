/** What tests of shapes of functions share. */
/* oxlint-disable unicorn/no-thenable -- thenables are among the shapes */
import { afterEach, beforeEach, expect } from "vitest";
import { createMetricsCollector, type CallOptions, type MetricsCollector } from "../../client/index.ts";
import { FakeServer, type Sample } from "./fake-server.ts";

export let server: FakeServer;
export let metricsCollector: MetricsCollector;

beforeEach(() => {
  server = new FakeServer();
  metricsCollector = collect();
});

afterEach(() => metricsCollector.close({ timeoutMs: 0 }));

export function collect(options: CallOptions = {}): MetricsCollector {
  return createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
    ...options,
  });
}

/** What the server got since the last time, by function. */
export async function report(collector = metricsCollector): Promise<Record<string, Sample>> {
  server.requests.length = 0;
  await collector.flush();
  const samples = server.requests.flatMap((request) => request.samples);
  return Object.fromEntries(samples.map((sample) => [sample.function, sample]));
}

/** How many calls and errors, and whether the durations add up to about this. */
export function about(calls: number, errors: number, leastMs: number) {
  return expect.objectContaining({
    calls,
    errors,
    sumMs: expect.toSatisfy((ms: number) => ms >= leastMs - 2),
  });
}

export const boom = new RangeError("boom");

export function caught(fn: () => unknown): unknown {
  try {
    fn();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It did not throw.");
}

export function byName(a: string | symbol, b: string | symbol): number {
  return String(a) < String(b) ? -1 : 1;
}
