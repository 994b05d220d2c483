/** How sums travel: in batches, under a key, until there is a definite answer. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CollectorOptions, Dropped, MetricsCollector } from "../../client/index.ts";
import { type Answer, FakeServer, type Reply } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

/** A minute's start, so that no test crosses into the next one. */
const START = Date.parse("2026-11-24T10:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let server: FakeServer;
let collectors: MetricsCollector[];

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
async function collect(options: Partial<CollectorOptions> = {}): Promise<MetricsCollector> {
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

async function collectOverHttp(options: Partial<CollectorOptions> = {}): Promise<MetricsCollector> {
  await server.listen();
  return collect({ url: server.url, fetcher: globalThis, ...options });
}

function call(metricsCollector: MetricsCollector, name: string, times = 1): void {
  const fn = metricsCollector({ name }, () => {});
  for (let i = 0; i < times; i++) fn();
}

/** Answers in this order, and then accepts. */
function answerInTurn(...replies: (Answer | "dropRequest" | "dropResponse" | "truncate")[]): void {
  server.reply = () => replies.shift() ?? "accept";
}

function warnings(): string[] {
  return vi.mocked(console.warn).mock.calls.map(([warning]) => String(warning));
}

function useFakeTime(): void {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"], now: START });
}

/** Lets simulated time pass, with real turns of the event loop for promises to settle. */
async function pass(ms: number, stepMs = 50): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** In seconds since the start, to the tenth, when requests came in. */
function arrivals(): number[] {
  return server.requests.map(({ atMs }) => Math.round((atMs - START) / 100) / 10);
}

const nothingDropped = { rejected: 0, tooOld: 0, overMemory: 0 };

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

describe("without a definite answer", () => {
  it.each<[string, Answer | "dropRequest" | "dropResponse" | "truncate"]>([
    ["a request that is lost", "dropRequest"],
    ["an answer that is lost", "dropResponse"],
    ["an answer that breaks off", "truncate"],
    ...[401, 403, 408, 425, 429, 500, 502, 503, 504].map((status): [string, Answer] => [
      `${status}`,
      { status, body: "<h1>rubbish" },
    ]),
  ])("%s: the same bytes go again under the same key, and count once", async (_, reply) => {
    answerInTurn(reply, reply);
    const metricsCollector = await collectOverHttp();
    call(metricsCollector, "work", 5);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.requests).toHaveLength(3);
    expect(new Set(server.keys).size).toBe(1);
    expect(new Set(server.requests.map(({ json }) => json)).size).toBe(1);
    expect(server.calls).toEqual({ work: 5 });
    expect(metricsCollector.stats()).toEqual({
      seen: 5,
      acknowledged: 5,
      pending: 0,
      dropped: nothingDropped,
    });
  });

  it("compressed bytes are the same again too", async () => {
    answerInTurn({ status: 500 }, "dropResponse");
    const metricsCollector = await collectOverHttp();
    for (let n = 0; n < 50; n++) call(metricsCollector, `function${n}`);
    await metricsCollector.flush();
    expect(new Set(server.requests.map(({ raw }) => raw.toString("base64"))).size).toBe(1);
    expect(server.totalCalls).toBe(50);
  });

  it("a batch is never re-cut, whatever comes in meanwhile", async () => {
    answerInTurn({ status: 500 }, "dropResponse", { status: 503 });
    const metricsCollector = await collectOverHttp();
    call(metricsCollector, "work");
    const first = metricsCollector.flush();
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(0));
    call(metricsCollector, "work", 10);
    await first;
    await metricsCollector.flush();
    expect(server.requests.map(({ samples }) => samples[0]!.calls)).toEqual([1, 1, 1, 1, 10]);
    expect(server.calls).toEqual({ work: 11 });
  });

  it("a redirect is not followed", async () => {
    const elsewhere = await new FakeServer().listen();
    const headers = { Location: `${elsewhere.url}/samples` };
    answerInTurn({ status: 307, headers }, { status: 302, headers });
    const errors: string[] = [];
    const metricsCollector = await collectOverHttp({ onError: ({ message }) => errors.push(message) });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    await elsewhere[Symbol.asyncDispose]();
    expect(elsewhere.requests).toEqual([]);
    expect(server.requests.map(({ method }) => method)).toEqual(["POST", "POST", "POST"]);
    expect(server.calls).toEqual({ work: 1 });
    expect(errors).toEqual([expect.stringContaining("307"), expect.stringContaining("302")]);
  });

  it("an attempt ends after timeoutMs, and the next one may succeed", async () => {
    const metricsCollector = await collectOverHttp({ timeoutMs: 30 });
    server.reply = () => (server.requests.length < 3 ? "hang" : "accept");
    call(metricsCollector, "work");
    expect(await metricsCollector.flush()).toBe(true);
    expect(new Set(server.keys).size).toBe(1);
    expect(server.calls).toEqual({ work: 1 });
  });

  it("flush gives up when its time is up, and loses nothing", async () => {
    server.reply = () => ({ status: 500 });
    const metricsCollector = await collect();
    call(metricsCollector, "work", 7);
    expect(await metricsCollector.flush({ timeoutMs: 50 })).toBe(false);
    expect(metricsCollector.stats().pending).toBe(7);
    server.reply = () => "accept";
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.calls).toEqual({ work: 7 });
  });
});

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

describe("a definite refusal", () => {
  it.each([400, 409, 410, 413, 415, 422, 431, 451])(
    "%d drops the batch, counts it and tells why; the next one goes on",
    async (status) => {
      answerInTurn({ status, body: '{"error":{"code":"refused","message":"It is not a batch."}}' });
      const drops: Dropped[] = [];
      const errors: string[] = [];
      const metricsCollector = await collect({
        onDrop: (dropped) => drops.push(dropped),
        onError: ({ message }) => errors.push(message),
      });
      call(metricsCollector, "work", 4);
      expect(await metricsCollector.flush()).toBe(true);
      expect(metricsCollector.stats()).toEqual({
        seen: 4,
        acknowledged: 0,
        pending: 0,
        dropped: { rejected: 4, tooOld: 0, overMemory: 0 },
      });
      expect(server.requests).toHaveLength(1);
      expect(drops).toEqual([
        { reason: "rejected", calls: 4, message: expect.stringContaining("It is not a batch.") },
      ]);
      expect(errors).toEqual([expect.stringContaining(`${status}`)]);
      expect(warnings()).toEqual([]);

      call(metricsCollector, "work", 2);
      await metricsCollector.flush();
      expect(server.calls).toEqual({ work: 2 });
      expect(new Set(server.keys).size).toBe(2);
    },
  );

  it("of some samples in an accepted batch counts their calls as dropped, and the others as acknowledged", async () => {
    server.reject = ({ function: name }) => (name.startsWith("bad") ? `There is no ${name}.` : undefined);
    const drops: Dropped[] = [];
    const metricsCollector = await collect({ onDrop: (dropped) => drops.push(dropped) });
    call(metricsCollector, "good", 10);
    call(metricsCollector, "bad", 3);
    call(metricsCollector, "better", 20);
    call(metricsCollector, "badder", 4);
    await metricsCollector.flush();
    expect(metricsCollector.stats()).toEqual({
      seen: 37,
      acknowledged: 30,
      pending: 0,
      dropped: { rejected: 7, tooOld: 0, overMemory: 0 },
    });
    expect(drops).toEqual([{ reason: "rejected", calls: 7, message: "There is no bad." }]);
    expect(server.calls).toEqual({ good: 10, better: 20 });
  });

  it("of more samples than the answer has reasons for counts them all", async () => {
    server.reject = (_, index) => (index < 150 ? "It is too late." : undefined);
    const metricsCollector = await collect();
    for (let n = 0; n < 200; n++) call(metricsCollector, `function${n}`, 2);
    await metricsCollector.flush();
    expect(metricsCollector.stats()).toEqual({
      seen: 400,
      acknowledged: 100,
      pending: 0,
      dropped: { rejected: 300, tooOld: 0, overMemory: 0 },
    });
    expect(server.totalCalls).toBe(100);
  });
});

describe("an answer that is not from the server", () => {
  const html = "<!doctype html><title>Sign in</title>";
  const ours = '{"error":{"code":"not_found","message":"There is no such route."}}';

  it.each<[status: number, body: string]>([
    [200, ""],
    [200, html],
    [200, "null"],
    [200, "[]"],
    [200, '{"ok":true}'],
    [200, '{"rejected":0}'],
    [200, '{"accepted":1,"rejected":0}'],
    // Of another number of samples.
    [202, '{"accepted":2,"rejected":0,"reasons":[],"duplicate":false}'],
    [202, ""],
    [204, ""],
    [400, html],
    [400, '{"error":"bad request"}'],
    [404, html],
    [404, ours],
    [405, ours],
    [409, "conflict"],
    [413, html],
    [422, '{"message":"no"}'],
    [502, html],
  ])("neither acknowledges nor drops calls: %d %j", async (status, body) => {
    answerInTurn({ status, body });
    const errors: string[] = [];
    const metricsCollector = await collect({ onError: ({ message }) => errors.push(message) });
    call(metricsCollector, "work", 3);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.requests).toHaveLength(2);
    expect(new Set(server.keys).size).toBe(1);
    expect(server.calls).toEqual({ work: 3 });
    expect(metricsCollector.stats()).toEqual({
      seen: 3,
      acknowledged: 3,
      pending: 0,
      dropped: nothingDropped,
    });
    // One sentence says what came and what to check.
    expect(errors).toEqual([
      expect.stringMatching(status === 502 ? /502 .* stay pending/ : /Check the option url/),
    ]);
  });

  it("is read up to a limit only, and the rest is cancelled", async () => {
    let chunks = 0;
    let isCancelled = false;
    const endless = new ReadableStream({
      pull(controller) {
        chunks++;
        controller.enqueue(new TextEncoder().encode("x".repeat(10_000)));
      },
      cancel() {
        isCancelled = true;
      },
    });
    let attempts = 0;
    const metricsCollector = await collect({
      fetcher: {
        fetch: (url, init) =>
          attempts++ ? server.fetcher.fetch(url, init) : Promise.resolve(new Response(endless)),
      },
    });
    call(metricsCollector, "work");
    expect(await metricsCollector.flush()).toBe(true);
    expect(isCancelled).toBe(true);
    expect(chunks).toBeLessThan(20);
    expect(server.calls).toEqual({ work: 1 });
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

describe("more than a hundred rejected samples, scattered through a batch", () => {
  it("are told by ranges, so that no call is guessed", async () => {
    const rejectedPlaces = (place: number) => place % 3 === 1;
    server.reply = ({ samples }) => {
      const places = samples.map((_, place) => place).filter(rejectedPlaces);
      const body = {
        accepted: samples.length - places.length,
        rejected: places.length,
        reasons: places.slice(0, 100).map((index) => ({ index, reason: "No." })),
        rejectedRanges: places.map((place) => [place, place]),
        duplicate: false,
      };
      return { status: 202, body: JSON.stringify(body) };
    };
    const metricsCollector = await collect({ onDrop() {} });
    for (let n = 0; n < 400; n++) call(metricsCollector, `function${n}`, n + 1);
    expect(await metricsCollector.flush()).toBe(true);
    const all = Array.from({ length: 400 }, (_, n) => n + 1);
    const rejected = all.filter((_, place) => rejectedPlaces(place)).reduce((sum, n) => sum + n, 0);
    expect(metricsCollector.stats().dropped.rejected).toBe(rejected);
  });
});

describe("a late answer to an attempt that was given up", () => {
  it("settles nothing: not its own batch twice, and not the batch that is in flight by then", async () => {
    const accepted = () => Response.json({ accepted: 1, rejected: 0, reasons: [], duplicate: false });
    const keys: string[] = [];
    let answerLate = (_: Response) => {};
    let duringSecond: object | undefined;
    const metricsCollector = await collect({
      timeoutMs: 30,
      onError() {},
      fetcher: {
        fetch: async (_, init: RequestInit) => {
          keys.push(new Headers(init.headers).get("Idempotency-Key")!);
          if (keys.length === 1) return new Promise<Response>((resolve) => (answerLate = resolve));
          if (keys.length === 2) return accepted();
          // The second batch is in flight. Now the first attempt gets its answer.
          answerLate(accepted());
          await new Promise((resolve) => setImmediate(resolve));
          duringSecond = metricsCollector.stats();
          return accepted();
        },
      },
    });
    call(metricsCollector, "first", 2);
    expect(await metricsCollector.flush()).toBe(true);
    call(metricsCollector, "second", 3);
    expect(await metricsCollector.flush()).toBe(true);
    expect(duringSecond).toMatchObject({ acknowledged: 2, pending: 3 });
    expect(new Set(keys).size).toBe(2);
    expect(metricsCollector.stats()).toMatchObject({ acknowledged: 5, pending: 0 });
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

describe("trouble", () => {
  it("is told to onError at every attempt, with what was answered", async () => {
    answerInTurn({ status: 500, body: "It is on fire." }, "dropRequest", { status: 429 });
    const errors: Error[] = [];
    const metricsCollector = await collect({ onError: (error) => errors.push(error) });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining("500 It is on fire."),
      expect.stringContaining("fetch failed"),
      expect.stringContaining("429"),
    ]);
    expect(warnings()).toEqual([]);
  });

  it("without hooks is one warning on the console for each kind, however often it comes", async () => {
    const metricsCollector = await collect();
    for (let i = 0; i < 3; i++) {
      const body = '{"error":{"code":"invalid_batch","message":"no"}}';
      answerInTurn({ status: 500 }, { status: 500 }, { status: 400, body });
      call(metricsCollector, "work");
      await metricsCollector.flush();
    }
    expect(warnings()).toEqual([
      expect.stringMatching(/^metrics-collector: .*500/),
      expect.stringMatching(/^metrics-collector: .*400 no/),
      expect.stringMatching(/^metrics-collector: 1 calls are lost \(rejected\): 400 no/),
    ]);
  });

  it("that does not come is not told", async () => {
    const told: unknown[] = [];
    const metricsCollector = await collect({ onError: (e) => told.push(e), onDrop: (d) => told.push(d) });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    expect([told, warnings()]).toEqual([[], []]);
  });
});

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
});
