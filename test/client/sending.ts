/** What tests of sending share: a fake server, collectors that are closed after each test, and simulated time. */
import { afterEach, beforeEach, vi } from "vitest";
import type { CollectorOptions, MetricsCollector } from "../../client/index.ts";
import { type Answer, FakeServer } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

/** A minute's start, so that no test crosses into the next one. */
export const START = Date.parse("2026-11-24T10:00:00Z");
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

export let server: FakeServer;
export let collectors: MetricsCollector[];

beforeEach(() => {
  server = new FakeServer();
  collectors = [];
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  for (const collector of collectors) await collector.close({ timeoutMs: 0 });
  await server[Symbol.asyncDispose]();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A collector that sends to the fake server: over HTTP if that listens, else without a network. */
export async function collect(options: Partial<CollectorOptions> = {}): Promise<MetricsCollector> {
  const { createMetricsCollector } = await loadClient();
  const collector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    intervalMs: 3_600_000,
    retryMs: 1,
    fetcher: server.fetcher,
    ...options,
  });
  collectors.push(collector);
  return collector;
}

export async function collectOverHttp(options: Partial<CollectorOptions> = {}): Promise<MetricsCollector> {
  await server.listen();
  return collect({ url: server.url, fetcher: globalThis, ...options });
}

export function call(metricsCollector: MetricsCollector, name: string, times = 1): void {
  const fn = metricsCollector({ name }, () => {});
  for (let i = 0; i < times; i++) fn();
}

/** Answers in this order, and then accepts. */
export function answerInTurn(...replies: (Answer | "dropRequest" | "dropResponse" | "truncate")[]): void {
  server.reply = () => replies.shift() ?? "accept";
}

export function warnings(): string[] {
  return vi.mocked(console.warn).mock.calls.map(([warning]) => String(warning));
}

export function useFakeTime(): void {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"], now: START });
}

/** Lets simulated time pass, with real turns of the event loop for promises to settle. */
export async function pass(ms: number, stepMs = 50): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** In seconds since the start, to the tenth, when requests came in. */
export function arrivals(): number[] {
  return server.requests.map(({ atMs }) => Math.round((atMs - START) / 100) / 10);
}

export const nothingDropped = { rejected: 0, tooOld: 0, overMemory: 0 };
