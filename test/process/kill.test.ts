import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMetricsCollector } from "../../client/index.ts";
import { type Health, type Listing, Server } from "../../scripts/server.ts";

/** Only ends a test that hangs. */
const WITHIN_MS = 240_000;

let stateFolder: string;
let server: Server;

beforeEach(async () => {
  stateFolder = await mkdtemp(join(tmpdir(), "metrics-collector-test-"));
});

afterEach(async () => {
  await server.kill();
  await rm(stateFolder, { recursive: true, force: true });
});

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(new URL(path, server.url));
  return (await response.json()) as Answer;
}

async function totals(): Promise<[string, number, number][]> {
  const { functions } = await get<Listing>("/metrics");
  return functions.map((row): [string, number, number] => [row.function, row.calls, row.errors]);
}

it("counts every call once although the whole server is killed in the middle of its work", async () => {
  // Nothing is flushed yet, so the acknowledged calls are only in the buffer.
  server = await Server.start({ stateFolder, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "3600" } });
  const port = Number(new URL(server.url).port);
  const attemptFailed = Promise.withResolvers<void>();
  await using metricsCollector = createMetricsCollector({
    url: server.url,
    service: "killed",
    intervalMs: 100,
    onError: () => attemptFailed.resolve(),
  });
  const work = metricsCollector(function work(fails: boolean) {
    if (fails) throw new Error("it failed");
  });
  const callWork = (times: number) => {
    for (let i = 0; i < times; i++) {
      try {
        work(i % 10 === 0);
      } catch {
        // Every tenth call throws.
      }
    }
  };
  callWork(100);
  await metricsCollector.flush();
  await server.kill();

  // Calls continue while the server is down. The client tries to send them and fails. Then the server comes back.
  callWork(50);
  const delivered = metricsCollector.flush({ timeoutMs: Infinity });
  await attemptFailed.promise;
  server = await Server.start({ stateFolder, port, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "1" } });
  expect(await delivered).toBe(true);
  expect(await totals()).toEqual([["work", 150, 15]]);

  // The server is killed while a flush is in the local queue. That queue is in memory, so the message is lost. A flush
  // stays in the queue for two seconds. If the test misses it, more calls make another flush.
  let called = 150;
  await vi.waitFor(
    async () => {
      const { bufferedSamples, unconfirmedFlushes } = await get<Health>("/health");
      if (bufferedSamples + unconfirmedFlushes === 0) {
        callWork(10);
        called += 10;
        await metricsCollector.flush();
      }
      expect(unconfirmedFlushes).toBeGreaterThan(0);
    },
    { timeout: WITHIN_MS, interval: 20 },
  );
  await server.kill();
  server = await Server.start({ stateFolder, port, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "1" } });
  expect(await totals()).toEqual([["work", called, called / 10]]);
  callWork(20);
  await metricsCollector.flush();
  expect(await totals()).toEqual([["work", called + 20, called / 10 + 2]]);

  // The outbox sends the lost flush again, until D1 has all calls.
  await vi.waitFor(
    async () =>
      expect(await get<Health>("/health")).toMatchObject({
        status: "ok",
        bufferedSamples: 0,
        unconfirmedFlushes: 0,
      }),
    { timeout: WITHIN_MS, interval: 500 },
  );
  expect(await totals()).toEqual([["work", called + 20, called / 10 + 2]]);
});
