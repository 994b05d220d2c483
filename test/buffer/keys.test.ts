import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bufferLimits as limits } from "../../src/buffer/limits.ts";
import { acknowledged, buffer, calls, post, refused } from "../worker.ts";

const sample = { function: "work", durationMs: 5 };
const DAY_MS = 24 * 60 * 60 * 1000;
const { bufferBytes, bufferBytesOfOne } = limits;

const size = () => runInDurableObject(buffer(), (_, { storage }) => storage.sql.databaseSize);

/** Sends batches under new keys, then evicts the buffer, so that it reads the size of its storage again. */
async function sendKeys(service: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 20) {
    const keys = Array.from({ length: 20 }, (_, j) => `${service} ${crypto.randomUUID()} ${i + j}`);
    await Promise.all(keys.map((key) => acknowledged([sample], { service, key })));
  }
  await evictDurableObject(buffer());
}

afterEach(() => {
  Object.assign(limits, { bufferBytes, bufferBytesOfOne });
  vi.useRealTimers();
});

describe("keys", () => {
  it("take about a hundred bytes each, as the capacity in README assumes", async () => {
    const count = 3_000;
    const before = await size();
    for (let i = 0; i < count; i += 20) {
      // Keys as the client makes them.
      const keys = Array.from({ length: 20 }, (_, j) => `${Date.now()}-${Math.random()}:${i + j}`);
      await Promise.all(keys.map((key) => acknowledged([], { key })));
    }
    const each = ((await size()) - before) / count;
    expect(each).toBeGreaterThan(60);
    expect(each).toBeLessThan(130);
  });

  it("are rejected if they fill the buffer, until the oldest day is deleted by itself", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    await sendKeys("shop", 200);
    Object.assign(limits, { bufferBytes: (await size()) - 1 });
    expect((await post([sample], { key: "new" })).status).toBe(503);
    vi.setSystemTime(start + DAY_MS);
    expect((await post([sample], { key: "new" })).status).toBe(503);
    vi.setSystemTime(start + 4 * DAY_MS);
    expect((await post([sample], { key: "new" })).status).toBe(202);
    expect(await calls()).toEqual({ work: 201 });
  });

  it("of one service leave room for other services", async () => {
    await acknowledged([sample], { service: "shop", key: "first" });
    await sendKeys("spam", 1_500);
    Object.assign(limits, { bufferBytesOfOne: (await size()) - 1 });
    expect((await post([sample], { service: "spam", key: "one more" })).status).toBe(503);
    expect((await post([sample], { service: "shop", key: "second" })).status).toBe(202);
    // Keys that were acknowledged are still known.
    expect(await acknowledged([sample], { service: "shop", key: "first" })).toMatchObject({
      duplicate: true,
    });
  });

  it("of unknown services share one quota, however many names they have", async () => {
    const bad = { function: "", durationMs: 5 };
    for (let i = 0; i < 1_500; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, (_, j) => refused([bad], { service: `unknown ${i + j}`, key: "k" })),
      );
    }
    await acknowledged([sample], { service: "shop", key: "first" });
    await evictDurableObject(buffer());
    Object.assign(limits, { bufferBytesOfOne: (await size()) - 1 });
    expect((await post([bad], { service: "yet another", key: "k" })).status).toBe(503);
    expect((await post([sample], { service: "shop", key: "second" })).status).toBe(202);
  });
});
