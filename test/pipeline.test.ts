import { env, exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { createMetricsCollector } from "../client/index.ts";
import { acknowledged, buffer, callsInD1, metrics, ringAlarm, letTimePass } from "./worker.ts";

class ValueError extends Error {
  override name = "ValueError";
}

/** Waits for 10 ms. The runtime's clock moves meanwhile, since this is not only computing. */
const work = () => new Promise((resolve) => setTimeout(resolve, 10));

it("carries a wrapped function's calls through client, buffer, queue and D1 to GET /metrics", async () => {
  // 1. Two functions are wrapped. They behave as before.
  const metricsCollector = createMetricsCollector({
    url: "https://metrics.example",
    service: "shop",
    fetcher: exports.default,
  });
  const successfulFunction = metricsCollector(async function successful_function(x: number, y: number) {
    await work();
    return x + y;
  });
  const errorFunction = metricsCollector(async function error_function() {
    await work();
    throw new ValueError("An error occurred");
  });
  expect(
    await Promise.all([successfulFunction(1, 2), successfulFunction(3, 4), successfulFunction(5, 6)]),
  ).toEqual([3, 7, 11]);
  await expect(errorFunction()).rejects.toThrow(new ValueError("An error occurred"));

  // 2. The client sums the calls by function and minute and posts the sums. Now they are acknowledged.
  await metricsCollector.flush();
  expect(metricsCollector.stats()).toMatchObject({ seen: 4, acknowledged: 4, pending: 0 });

  // 3. The calls are in the buffer. Reads include them already.
  expect(await callsInD1()).toEqual({});
  const expected = [
    { service: "shop", function: "successful_function", calls: 3, errors: 0, unmeasured: 0 },
    { service: "shop", function: "error_function", calls: 1, errors: 1, unmeasured: 0 },
  ];
  expect(await metrics()).toMatchObject(expected);

  // 4. MAX_WAITING_TIME passes. The alarm seals them into a flush and sends it; the queue carries it to D1.
  await letTimePass();
  await ringAlarm();
  await vi.waitFor(
    async () => expect(await callsInD1()).toEqual({ successful_function: 3, error_function: 1 }),
    {
      timeout: 15_000,
    },
  );

  // 5. The consumer confirms the flush, and the buffer deletes it. Reads show the same as before.
  await vi.waitFor(async () =>
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 0 }),
  );
  const listed = await metrics();
  expect(listed).toMatchObject(expected);
  for (const { averageMs, minMs, p50Ms, p99Ms, maxMs } of listed) {
    for (const durationMs of [averageMs, minMs, p50Ms, p99Ms, maxMs]) {
      expect(durationMs).toBeGreaterThanOrEqual(5);
      expect(durationMs).toBeLessThan(5_000);
    }
  }
  const { results } = await env.DB.prepare("SELECT name, message, calls FROM failures").all();
  expect(results).toEqual([{ name: "ValueError", message: "An error occurred", calls: 1 }]);
});

it("shows exact numbers for single calls of any sender", async () => {
  await acknowledged([
    { function: "checkout", module: "app/main", durationMs: 100.5 },
    { function: "checkout", module: "app/main", durationMs: 99.5 },
    {
      function: "checkout",
      module: "app/main",
      durationMs: 250,
      error: { name: "ValueError", message: "no" },
    },
    { function: "checkout", module: "app/main", durationMs: 0 },
  ]);
  await letTimePass();
  await ringAlarm();
  await vi.waitFor(async () => expect(await callsInD1()).toEqual({ checkout: 4 }), { timeout: 15_000 });
  expect(await metrics()).toEqual([
    {
      service: "shop",
      module: "app/main",
      function: "checkout",
      calls: 4,
      errors: 1,
      errorRate: 0.25,
      averageMs: 150,
      minMs: 99.5,
      maxMs: 250,
      unmeasured: 1,
      // Within 1.1 % of 100.5, 250 and 250.
      p50Ms: 99.7763,
      p90Ms: 247.816,
      p95Ms: 247.816,
      p99Ms: 247.816,
      firstSeen: expect.any(String) as string,
      lastSeen: expect.any(String) as string,
    },
  ]);
});
