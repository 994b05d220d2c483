/** How long a collector waits between attempts. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { loadClient } from "./fresh-client.ts";
import {
  collectors,
  START,
  SECOND,
  server,
  collect,
  call,
  answerInTurn,
  warnings,
  useFakeTime,
  pass,
  arrivals,
  nothingDropped,
} from "./sending.ts";

describe("between attempts", () => {
  beforeEach(() => {
    useFakeTime();
    // Compression takes real time.
    vi.stubGlobal("CompressionStream", undefined);
  });

  it("the backoff doubles up to 60 times the first, and all of it is random", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    server.reply = () => "dropRequest";
    const metricsCollector = await collect({ intervalMs: 10_000, retryMs: 1_000 });
    call(metricsCollector, "work");
    await pass(130 * SECOND);
    const waits = arrivals().map((second, n, all) => Math.round((second - (all[n - 1] ?? 0)) * 2) / 2);
    expect(waits.slice(0, 10)).toEqual([10, 0.5, 1, 2, 4, 8, 16, 30, 30]);

    vi.mocked(Math.random).mockReturnValue(0);
    await pass(32 * SECOND);
    const before = server.requests.length;
    await pass(SECOND);
    expect(server.requests.length).toBeGreaterThan(before + 5);
  });

  it("the backoff begins anew once a batch has arrived", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    server.reply = () => (arrivals().at(-1)! < 60 ? "dropRequest" : "accept");
    const metricsCollector = await collect({ intervalMs: 10_000, retryMs: 1_000 });
    call(metricsCollector, "work");
    await pass(80 * SECOND);
    expect(metricsCollector.stats().pending).toBe(0);
    server.requests.length = 0;
    answerInTurn("dropRequest");
    const calledAtSecond = (Date.now() - START) / SECOND;
    call(metricsCollector, "work");
    await pass(20 * SECOND);
    const waits = arrivals().map((second) => Math.round((second - calledAtSecond) * 2) / 2);
    expect(waits).toEqual([10, 10.5]);
  });

  it.each([
    ["seconds", "120", 120],
    ["a date", new Date(START + 130 * SECOND).toUTCString(), 120],
    ["an hour at most", "999999", 3_600],
  ])("Retry-After is honoured: %s", async (_, retryAfter, waitS) => {
    answerInTurn({ status: 503, headers: { "Retry-After": retryAfter } });
    const metricsCollector = await collect({ intervalMs: 10_000, retryMs: 1_000 });
    call(metricsCollector, "work");
    await pass((10 + waitS + 5) * SECOND, 500);
    const [first, second, ...others] = arrivals();
    expect(first).toBeCloseTo(10, -0.5);
    expect(second! - first!).toBeGreaterThanOrEqual(waitS - 1);
    expect(second! - first!).toBeLessThan(waitS + 3);
    expect(others).toEqual([]);
    expect(server.calls).toEqual({ work: 1 });
  });

  it.each(["soon", "-5", "", "Tue, 24 Nov 2020 10:00:00 GMT"])(
    "a Retry-After of '%s' leaves the backoff as it is",
    async (retryAfter) => {
      answerInTurn({ status: 429, headers: { "Retry-After": retryAfter } });
      const metricsCollector = await collect({ intervalMs: 10_000, retryMs: 1_000 });
      call(metricsCollector, "work");
      await pass(12 * SECOND);
      expect(server.keys).toHaveLength(2);
      expect(server.calls).toEqual({ work: 1 });
    },
  );

  it.each([401, 403])("%d is tried slowly, with one warning, until the token is right", async (status) => {
    let token = "old";
    server.reply = ({ headers }) => (headers.get("Authorization") === "Bearer new" ? "accept" : { status });
    // Not by way of `collect`, which would read the getter once and for all.
    const { createMetricsCollector } = await loadClient();
    const metricsCollector = createMetricsCollector({
      url: "http://collector",
      service: "shop",
      intervalMs: 10_000,
      fetcher: server.fetcher,
      get token() {
        return token;
      },
    });
    collectors.push(metricsCollector);
    call(metricsCollector, "work", 3);
    await pass(190 * SECOND, 500);
    // One at 10 s, and then one every 30 s or, once the backoff is longer than that, up to 60 s.
    expect(server.requests.length).toBeGreaterThanOrEqual(4);
    expect(server.requests.length).toBeLessThanOrEqual(7);
    const waits = arrivals().map((second, n, all) => second - (all[n - 1] ?? -30));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(29);
    expect(warnings()).toEqual([expect.stringContaining(`${status}`)]);
    expect(metricsCollector.stats()).toEqual({
      seen: 3,
      acknowledged: 0,
      pending: 3,
      dropped: nothingDropped,
    });

    token = "new";
    await pass(61 * SECOND, 500);
    expect(metricsCollector.stats()).toEqual({
      seen: 3,
      acknowledged: 3,
      pending: 0,
      dropped: nothingDropped,
    });
    expect(server.calls).toEqual({ work: 3 });
  });
});
