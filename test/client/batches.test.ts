/** What a batch carries, and how it is cut. */
import { describe, expect, it, vi } from "vitest";
import type { Dropped } from "../../client/index.ts";
import type { Reply } from "./fake-server.ts";
import {
  START,
  SECOND,
  MINUTE,
  server,
  collect,
  collectOverHttp,
  call,
  answerInTurn,
  useFakeTime,
  pass,
  nothingDropped,
} from "./sending.ts";

describe("a batch", () => {
  it("carries the sums of many functions in one POST, as the wire format has them", async () => {
    const metricsCollector = await collectOverHttp({ token: "secret" });
    const work = metricsCollector({ module: "app/main" }, function work(fails: boolean) {
      if (fails) throw new TypeError("x is undefined");
    });
    work(false);
    work(false);
    expect(() => work(true)).toThrow("x is undefined");
    call(metricsCollector, "other");
    expect(await metricsCollector.flush()).toBe(true);

    expect(server.requests).toHaveLength(1);
    const [{ method, path, headers, json, key }] = server.requests as [(typeof server.requests)[0]];
    expect([method, path]).toEqual(["POST", "/samples"]);
    expect(headers.get("Content-Type")).toBe("application/json");
    expect(headers.get("Authorization")).toBe("Bearer secret");
    expect(key).toMatch(/^\d+(-\d+){3}$/);
    expect(key.length).toBeLessThanOrEqual(128);
    const { service, samples } = JSON.parse(json) as { service: string; samples: unknown[] };
    expect(service).toBe("shop");
    expect(samples).toEqual([
      {
        function: "work",
        module: "app/main",
        at: expect.any(Number),
        calls: 3,
        errors: 1,
        sumMs: expect.any(Number),
        minMs: expect.any(Number),
        maxMs: expect.any(Number),
        histogram: expect.any(Object),
        failures: [{ name: "TypeError", message: "x is undefined", calls: 1 }],
      },
      // Without what the server assumes by itself.
      {
        function: "other",
        at: expect.any(Number),
        calls: 1,
        sumMs: expect.any(Number),
        minMs: expect.any(Number),
        maxMs: expect.any(Number),
        histogram: expect.any(Object),
      },
    ]);
    expect(metricsCollector.stats()).toEqual({
      seen: 4,
      acknowledged: 4,
      pending: 0,
      dropped: nothingDropped,
    });
  });

  it("says nothing of a token where there is none, and takes a URL that ends in a slash", async () => {
    await server.listen();
    const metricsCollector = await collect({ url: `${server.url}/`, fetcher: globalThis });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    expect(server.requests[0]!.path).toBe("/samples");
    expect(server.requests[0]!.headers.has("Authorization")).toBe(false);
  });

  it("is not sent where there is nothing to say", async () => {
    const metricsCollector = await collect();
    expect(await metricsCollector.flush()).toBe(true);
    expect(await metricsCollector.close()).toBe(true);
    expect(server.requests).toEqual([]);
  });

  it("tells minutes apart", async () => {
    useFakeTime();
    const metricsCollector = await collect();
    call(metricsCollector, "work", 2);
    vi.advanceTimersByTime(MINUTE);
    call(metricsCollector, "work", 3);
    const flushed = metricsCollector.flush();
    await pass(SECOND);
    expect(await flushed).toBe(true);
    expect(server.counted).toEqual({
      work: { "2026-11-24T10:00:00.000Z": 2, "2026-11-24T10:01:00.000Z": 3 },
    });
    expect(server.requests).toHaveLength(1);
  });

  it("has a key of its own, and so has every collector", async () => {
    const [one, two] = [await collect(), await collect()];
    for (const metricsCollector of [one, two]) {
      for (let i = 0; i < 3; i++) {
        call(metricsCollector, "work");
        await metricsCollector.flush();
      }
    }
    expect(new Set(server.keys).size).toBe(6);
    expect(server.calls).toEqual({ work: 6 });
  });

  it("is compressed if it is worth it", async () => {
    const metricsCollector = await collectOverHttp();
    call(metricsCollector, "small");
    await metricsCollector.flush();
    for (let n = 0; n < 100; n++) call(metricsCollector, `function${n}`);
    await metricsCollector.flush();
    const [small, large] = server.requests;
    expect(small!.headers.get("Content-Encoding")).toBeNull();
    expect(large!.headers.get("Content-Encoding")).toBe("gzip");
    expect(large!.raw.length).toBeLessThan(large!.json.length / 3);
    expect(server.totalCalls).toBe(101);
  });

  it("goes as it is where there is no CompressionStream", async () => {
    vi.stubGlobal("CompressionStream", undefined);
    const metricsCollector = await collectOverHttp();
    for (let n = 0; n < 100; n++) call(metricsCollector, `function${n}`);
    await metricsCollector.flush();
    expect(server.requests.map(({ headers }) => headers.get("Content-Encoding"))).toEqual([null]);
    expect(server.totalCalls).toBe(100);
  });

  it("stays under 1 MiB, however many functions and failures of whatever script there are", async () => {
    const metricsCollector = await collect({ maxItems: 1_000_000 });
    for (let n = 0; n < 250; n++) {
      const fail = metricsCollector({ name: `函${n}` }, (reason: string) => {
        throw new Error(reason.repeat(600));
      });
      for (const reason of "一二三四五六七八九十") expect(() => fail(reason)).toThrow(reason);
    }
    expect(await metricsCollector.flush()).toBe(true);
    const sizes = server.requests.map(({ json }) => Buffer.byteLength(json));
    expect(sizes.length).toBeGreaterThan(3);
    expect(Math.max(...sizes)).toBeLessThan(1_048_576);
    expect(server.totalCalls).toBe(2_500);
    expect(metricsCollector.stats().acknowledged).toBe(2_500);
  });

  it("stays under 5,000 samples, and six thousand functions go in as many batches as it takes", async () => {
    const metricsCollector = await collect({ maxFunctions: 6_000, maxItems: 1_000_000 });
    for (let n = 0; n < 6_000; n++) call(metricsCollector, `f${n}`);
    expect(await metricsCollector.flush()).toBe(true);
    expect(Math.max(...server.requests.map(({ samples }) => samples.length))).toBeLessThanOrEqual(5_000);
    expect(Object.keys(server.calls)).toHaveLength(6_000);
    expect(server.totalCalls).toBe(6_000);
  });

  it("is alone on its way; what is called meanwhile goes into the next one", async () => {
    const metricsCollector = await collect();
    let answer = (_: Reply) => {};
    server.reply = ({ key }) =>
      key === server.keys[0] ? new Promise<Reply>((resolve) => (answer = resolve)) : "accept";
    call(metricsCollector, "first");
    const flushed = metricsCollector.flush();
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    call(metricsCollector, "second", 2);
    const alsoFlushed = metricsCollector.flush();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toHaveLength(1);
    expect(metricsCollector.stats().pending).toBe(3);
    answer("accept");
    expect([await flushed, await alsoFlushed]).toEqual([true, true]);
    expect(server.requests.map(({ samples }) => samples.map((sample) => sample.function))).toEqual([
      ["first"],
      ["second"],
    ]);
    expect(metricsCollector.stats()).toEqual({
      seen: 3,
      acknowledged: 3,
      pending: 0,
      dropped: nothingDropped,
    });
  });
});

describe("a batch of which nothing was accepted", () => {
  it.each([202, 422])("is settled by the reasons of its samples, with %d", async (status) => {
    server.reply = ({ samples }) => ({
      status,
      body: JSON.stringify({
        accepted: 0,
        rejected: samples.length,
        reasons: samples.map((_, index) => ({ index, reason: "at is too old." })),
        duplicate: false,
      }),
    });
    const drops: Dropped[] = [];
    const metricsCollector = await collect({ onDrop: (dropped) => drops.push(dropped) });
    call(metricsCollector, "work", 2);
    call(metricsCollector, "other", 3);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.requests).toHaveLength(1);
    expect(drops).toEqual([{ reason: "rejected", calls: 5, message: "at is too old." }]);
    expect(metricsCollector.stats()).toMatchObject({ seen: 5, acknowledged: 0, pending: 0 });
  });
});

describe("a batch that is sent again", () => {
  it("says at each attempt how old it is", async () => {
    useFakeTime();
    const urls: string[] = [];
    const metricsCollector = await collect({
      intervalMs: 1_000,
      retryMs: 10_000,
      onError() {},
      fetcher: {
        fetch: (url, init) => {
          urls.push(url);
          return server.fetcher.fetch(url, init);
        },
      },
    });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    answerInTurn("dropRequest");
    call(metricsCollector, "work");
    await pass(7 * SECOND);
    expect(urls).toEqual(["http://collector/samples?ageMs=0", "http://collector/samples?ageMs=5000"]);
    expect(JSON.parse(server.requests[0]!.json)).toMatchObject({ sentAt: START + 1_000 });
  });

  it("says nothing of its age after the wall clock was set, or the machine was asleep", async () => {
    useFakeTime();
    const metricsCollector = await collect({ intervalMs: 1_000, retryMs: 1_000, onError() {} });
    answerInTurn("dropRequest");
    call(metricsCollector, "work");
    await pass(SECOND);
    vi.setSystemTime(Date.now() + 73 * 3_600 * SECOND);
    await pass(2 * SECOND);
    expect(server.requests.map(({ ageMs }) => ageMs)).toEqual(["0", null]);
    expect(new Set(server.keys).size).toBe(1);
  });
});
