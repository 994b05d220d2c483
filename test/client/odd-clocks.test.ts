/** Clocks that stand still, jump, or cannot be read do no harm. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { server, unhandled, collect, useFunctions } from "./harm.ts";

describe("on a clock that", () => {
  const realNow = performance.now.bind(performance);
  const realDateNow = Date.now.bind(Date);

  it.each<[string, (call: number) => number]>([
    ["goes backwards", (call) => 1e6 - call],
    ["jumps to and fro", (call) => realNow() + (call % 3) * 3_600_000 - 3_600_000],
    ["stands still", () => 5],
    ["gives NaN", () => NaN],
    ["gives NaN now and then", (call) => (call % 2 ? NaN : realNow())],
    ["gives Infinity", () => Infinity],
    ["gives negative times", () => -realNow()],
    [
      "throws",
      () => {
        throw new Error("There is no clock.");
      },
    ],
  ])(
    "%s, functions do what they did, and calls are counted, with no duration that cannot be",
    async (_, now) => {
      let reads = 0;
      const clock = vi.spyOn(performance, "now").mockImplementation(() => now(reads++));
      const collector = await collect({ fetcher: server.fetcher });
      await useFunctions(collector, 5);
      clock.mockRestore();
      expect(await collector.flush({ timeoutMs: 5_000 })).toBe(true);
      expect(unhandled).toEqual([]);
      expect(server.calls).toEqual({ add: 5, fail: 5, load: 5, reject: 5, count: 5 });
      for (const { sumMs, minMs, maxMs, calls, unmeasured, histogram } of server.requests.flatMap(
        (r) => r.samples,
      )) {
        expect(sumMs).toBeGreaterThanOrEqual(0);
        expect(minMs ?? 0).toBeGreaterThanOrEqual(0);
        expect(maxMs).toBeGreaterThanOrEqual(minMs ?? 0);
        expect(unmeasured + Object.values(histogram).reduce((sum, n) => sum + n, 0)).toBe(calls);
      }
    },
  );

  it.each<[string, (call: number) => number]>([
    ["goes backwards by an hour again and again", (call) => realDateNow() - call * 3_600_000],
    ["gives NaN", () => NaN],
    ["stands at the beginning of time", () => 0],
    [
      "throws",
      () => {
        throw new Error("There is no calendar.");
      },
    ],
  ])("as a calendar %s, functions do what they did", async (_, now) => {
    let reads = 0;
    vi.spyOn(Date, "now").mockImplementation(() => now(reads++));
    const collector = await collect({ fetcher: { fetch: () => Promise.resolve(new Response("{}")) } });
    await useFunctions(collector, 5);
    vi.mocked(Date.now).mockRestore();
    await sleep(5);
    expect(unhandled).toEqual([]);
    expect(collector.stats().seen).toBe(25);
  });

  it.each<[string, () => number]>([
    ["stepped back by an hour", () => realNow() - 3_600_000],
    ["gave NaN for a moment", () => NaN],
  ])("%s while the collector was away, sending goes on by itself", async (_, now) => {
    server.reply = () => "dropRequest";
    const collector = await collect({ fetcher: server.fetcher });
    const work = collector(function work() {});
    work();
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(2));
    const clock = vi.spyOn(performance, "now").mockImplementation(now);
    await sleep(50);
    if (Number.isNaN(now())) clock.mockRestore();
    server.reply = () => "accept";
    work();
    await vi.waitFor(() => expect(server.calls).toEqual({ work: 2 }), { timeout: 3_000 });
    expect(collector.stats()).toMatchObject({ seen: 2, acknowledged: 2, pending: 0 });
  });
});
