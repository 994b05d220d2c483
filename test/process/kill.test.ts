import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMetricsCollector } from "../../client/index.ts";
import { type Health, type Listing, Server } from "../../scripts/server.ts";

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

it("counts every call once through SIGKILL of the whole server at the worst moments", async () => {
  // Nothing is flushed yet: what is acknowledged stands in the buffer alone.
  server = await Server.start({ stateFolder, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "3600" } });
  const port = Number(new URL(server.url).port);
  await using metricsCollector = createMetricsCollector({
    url: server.url,
    service: "killed",
    intervalMs: 100,
  });
  const work = metricsCollector(function work(fails: boolean) {
    if (fails) throw new Error("it failed");
  });
  const callWork = (times: number) => {
    for (let i = 0; i < times; i++) {
      try {
        work(i % 10 === 0);
      } catch {
        // Every tenth call fails, as it is meant to.
      }
    }
  };
  callWork(100);
  await metricsCollector.flush();
  await server.kill();

  // While it is away, the client goes on; then it is back, and flushes within a second.
  callWork(50);
  const delivered = metricsCollector.flush({ timeoutMs: 90_000 });
  await sleep(500);
  server = await Server.start({ stateFolder, port, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "1" } });
  expect(await delivered).toBe(true);
  expect(await totals()).toEqual([["work", 150, 15]]);

  // Killed again as soon as a flush waits in the queue, which lives in memory: the message is gone.
  // It waits for two seconds: where that was missed, there is another flush.
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
    { timeout: 90_000, interval: 20 },
  );
  await server.kill();
  server = await Server.start({ stateFolder, port, vars: { MAX_ITEMS: "100000", MAX_WAITING_TIME: "1" } });
  expect(await totals()).toEqual([["work", called, called / 10]]);
  callWork(20);
  await metricsCollector.flush();
  expect(await totals()).toEqual([["work", called + 20, called / 10 + 2]]);

  // The outbox sends again what was lost, until D1 has all of it.
  await vi.waitFor(
    async () =>
      expect(await get<Health>("/health")).toMatchObject({
        status: "ok",
        bufferedSamples: 0,
        unconfirmedFlushes: 0,
      }),
    { timeout: 90_000, interval: 500 },
  );
  expect(await totals()).toEqual([["work", called + 20, called / 10 + 2]]);
});
