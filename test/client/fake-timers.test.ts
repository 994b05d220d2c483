/** Fake timers and clocks that a test installs after the client has loaded neither stop it nor run it. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it, vi } from "vitest";
import { createMetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it("runAllTimers ends while the server is away, flush does not hang, and nothing is lost", async () => {
  const server = new FakeServer();
  server.reply = () => "dropRequest";
  vi.useFakeTimers({ now: 0 });
  const metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    intervalMs: 5,
    retryMs: 1,
    onError() {},
    fetcher: server.fetcher,
  });
  const work = metricsCollector("work", () => 7);
  expect(work()).toBe(7);
  vi.runAllTimers();
  expect(await metricsCollector.flush({ timeoutMs: 50 })).toBe(false);
  vi.useRealTimers();
  work();
  server.reply = () => "accept";
  await vi.waitFor(() => expect(server.calls).toEqual({ work: 2 }));
  expect(await metricsCollector.close()).toBe(true);
});

it("batches have different keys, even if the clock stands and Math.random is mocked", async () => {
  const server = new FakeServer();
  vi.useFakeTimers({ now: 1_000_000_000_000 });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  for (let n = 0; n < 3; n++) {
    const metricsCollector = createMetricsCollector({
      url: "http://collector",
      service: "shop",
      fetcher: server.fetcher,
    });
    metricsCollector("work", () => {})();
    expect(await metricsCollector.close()).toBe(true);
  }
  expect(new Set(server.keys).size).toBe(3);
  expect(server.calls).toEqual({ work: 3 });
});

it("a steady stream of more functions than are told apart is sent once a second at most", async () => {
  const server = new FakeServer();
  const metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    maxFunctions: 10,
    maxItems: 5,
    onError() {},
    fetcher: server.fetcher,
  });
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const functions = Array.from({ length: 50 }, (_, n) => metricsCollector(`function${n}`, () => n));
  const endMs = performance.now() + 1_500;
  while (performance.now() < endMs) {
    for (const fn of functions) fn();
    await sleep(5);
  }
  expect(server.requests.length).toBeGreaterThan(0);
  expect(server.requests.length).toBeLessThanOrEqual(3);
  await metricsCollector.close();
});
