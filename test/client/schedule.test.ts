/** When a collector sends on its own. */
import { describe, expect, it, vi } from "vitest";
import type { CollectorOptions } from "../../client/index.ts";
import { answerInTurn, SECOND, server, collect, call, useFakeTime, pass, arrivals } from "./sending.ts";

describe("on its own", () => {
  it("sends what was called within the interval, and is then silent until the next call", async () => {
    useFakeTime();
    const metricsCollector = await collect({ intervalMs: 30_000 });
    call(metricsCollector, "work");
    await pass(20 * SECOND);
    call(metricsCollector, "work");
    expect(server.requests).toHaveLength(0);
    await pass(11 * SECOND);
    expect(arrivals()).toEqual([expect.closeTo(30, 0)]);
    expect(server.calls).toEqual({ work: 2 });
    await pass(200 * SECOND);
    expect(server.requests).toHaveLength(1);
    call(metricsCollector, "work");
    await pass(31 * SECOND);
    expect(arrivals()).toEqual([expect.closeTo(30, 0), expect.closeTo(261, 0)]);
    expect(server.calls).toEqual({ work: 3 });
  });

  it("sends early once more than maxItems sums wait, however few calls they are", async () => {
    const metricsCollector = await collect({ maxItems: 3 });
    for (let i = 0; i < 1_000; i++) call(metricsCollector, "one");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.requests).toHaveLength(0);
    for (const name of ["two", "three", "four"]) call(metricsCollector, name);
    await vi.waitFor(() => expect(server.calls).toEqual({ one: 1_000, two: 1, three: 1, four: 1 }));
    expect(server.requests).toHaveLength(1);
  });

  it("does not hurry where maxItems sums wait for a collector that is away", async () => {
    useFakeTime();
    vi.stubGlobal("CompressionStream", undefined);
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    server.reply = () => "dropRequest";
    const metricsCollector = await collect({ maxItems: 3, retryMs: 10_000 });
    for (let n = 0; n < 60; n++) {
      call(metricsCollector, `function${n}`);
      await pass(SECOND, 500);
    }
    // At 2, 12 and 32 s or so.
    expect(server.requests.length).toBeLessThanOrEqual(4);
    expect(new Set(server.keys).size).toBe(1);
  });

  it("does nothing after close, and what is called then goes with another flush", async () => {
    const metricsCollector = await collect({ intervalMs: 1 });
    call(metricsCollector, "work");
    expect(await metricsCollector.close()).toBe(true);
    call(metricsCollector, "late");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.calls).toEqual({ work: 1 });
    expect(metricsCollector.stats().pending).toBe(1);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.calls).toEqual({ work: 1, late: 1 });
  });

  it("sends what is left at the end of its scope", async () => {
    {
      await using metricsCollector = await collect();
      call(metricsCollector, "work", 2);
    }
    expect(server.calls).toEqual({ work: 2 });
  });

  it("uses waitUntil instead of a timer where that is given: the first call of an interval waits for its POST", async () => {
    useFakeTime();
    const kept: Promise<unknown>[] = [];
    const metricsCollector = await collect({
      intervalMs: 10_000,
      waitUntil: (promise) => kept.push(promise),
    });
    call(metricsCollector, "work", 5);
    await pass(9 * SECOND, 500);
    call(metricsCollector, "work", 5);
    expect([kept.length, server.requests.length]).toEqual([1, 0]);
    await pass(2 * SECOND, 500);
    await kept[0];
    expect(server.calls).toEqual({ work: 10 });
    await pass(60 * SECOND, 500);
    expect(server.requests).toHaveLength(1);
    call(metricsCollector, "work");
    await pass(11 * SECOND, 500);
    expect([kept.length, server.requests.length]).toEqual([2, 2]);
  });

  it("does not measure its own fetch, though that is wrapped", async () => {
    const metricsCollector = await collect({
      intervalMs: 5,
      fetcher: { fetch: (url, init) => wrapped(url, init) },
    });
    const wrapped = metricsCollector({ name: "fetch" }, server.fetcher.fetch);
    call(metricsCollector, "work");
    await metricsCollector.flush();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toHaveLength(1);
    expect(server.calls).toEqual({ work: 1 });

    await wrapped("http://collector/samples", { method: "POST", body: '{"samples":[]}' });
    expect(metricsCollector.stats().seen).toBe(2);
  });

  it.each<[string, Partial<CollectorOptions>]>([
    ["a timer", {}],
    ["waitUntil", { waitUntil: () => {} }],
  ])("with %s waits for no negative time, of which Node warns", async (_, options) => {
    const delays: (number | undefined)[] = [];
    const start = globalThis.setTimeout;
    vi.stubGlobal("setTimeout", (work: () => void, delayMs?: number) => {
      delays.push(delayMs);
      return start(work, delayMs);
    });
    const metricsCollector = await collect({ ...options, intervalMs: 1, retryMs: 0, maxItems: 1 });
    for (let n = 0; n < 20; n++) {
      answerInTurn("dropRequest");
      call(metricsCollector, `function${n}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await metricsCollector.flush();
    expect(delays.length).toBeGreaterThan(5);
    expect(delays.filter((delayMs) => !(delayMs! >= 0))).toEqual([]);
  });
});
