/** What a wrapped function returns, throws and takes is its own, whatever becomes of the metrics. */
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CollectorOptions, MetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

let server: FakeServer;
let metricsCollector: MetricsCollector | undefined;
let rawServer: Server | undefined;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);
let others: NodeJS.UnhandledRejectionListener[];

beforeEach(() => {
  // In place of the test runner's, so that one fails the test that it belongs to.
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onUnhandled);
  unhandled.length = 0;
  server = new FakeServer();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  server.reply = () => "accept";
  await metricsCollector?.close({ timeoutMs: 0 });
  metricsCollector = undefined;
  await server[Symbol.asyncDispose]();
  rawServer?.close();
  rawServer = undefined;
  await sleep(5);
  process.off("unhandledRejection", onUnhandled);
  for (const listener of others) process.on("unhandledRejection", listener);
});

async function collect(options: Partial<CollectorOptions>): Promise<MetricsCollector> {
  const { createMetricsCollector } = await loadClient();
  const defaults = { url: "http://collector", service: "shop", intervalMs: 1, retryMs: 1, timeoutMs: 20 };
  // Getters stay getters.
  return (metricsCollector = createMetricsCollector(
    Object.defineProperties(defaults, Object.getOwnPropertyDescriptors(options)),
  ));
}

const error = new RangeError("its own");
/** An async function passes for a hook. */
const rejects = (() => Promise.reject(new Error("hook"))) as () => void;

/** Calls functions of several kinds for a while, in which the collector has many occasions to do harm. */
async function useFunctions(collector: MetricsCollector, rounds = 12): Promise<void> {
  const basket = { count: 2 };
  const add = collector(function add(this: { count: number }, n: number) {
    return this.count + n;
  });
  const fail = collector(function fail() {
    throw error;
  });
  const load = collector(async function load(id: number) {
    await Promise.resolve();
    return { id };
  });
  const reject = collector(async function reject() {
    await Promise.resolve();
    throw error;
  });
  const count = collector(function* count(to: number) {
    for (let n = 0; n < to; n++) yield n;
  });
  for (let round = 0; round < rounds; round++) {
    expect(add.call(basket, round)).toBe(2 + round);
    expect(catchFrom(fail)).toBe(error);
    // The collector answers never, late or badly: that these come at all shows that they did not wait for it.
    expect(await load(round)).toEqual({ id: round });
    expect(await reject().catch((reason: unknown) => reason)).toBe(error);
    expect([...count(3)]).toEqual([0, 1, 2]);
    await sleep(5);
  }
  expect(unhandled).toEqual([]);
}

function catchFrom(fn: () => unknown): unknown {
  try {
    fn();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It did not throw.");
}

async function answerEverythingWith(bytes: string): Promise<string> {
  rawServer = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => rawServer!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(rawServer.address() as AddressInfo).port}`;
}

describe("functions do what they did", () => {
  it("while nothing listens", async () => {
    const { url } = await server.listen();
    await server[Symbol.asyncDispose]();
    const collector = await collect({ url });
    await useFunctions(collector);
    expect(collector.stats()).toMatchObject({ seen: 60, acknowledged: 0, pending: 60 });
  });

  it("while the collector never answers", async () => {
    await server.listen();
    server.reply = () => "hang";
    await useFunctions(await collect({ url: server.url }));
    expect(new Set(server.keys).size).toBe(1);
  });

  it.each([200, 204, 301, 400, 401, 418, 429, 500, 503])(
    "while the collector answers %d and rubbish",
    async (status) => {
      await server.listen();
      server.reply = () => ({
        status,
        headers: { "Retry-After": "rubbish" },
        body: status === 204 ? "" : "\0<%",
      });
      const collector = await collect({ url: server.url });
      await useFunctions(collector, 5);
      expect(server.requests.length).toBeGreaterThan(0);
      const { seen, acknowledged, pending, dropped } = collector.stats();
      expect(seen).toBe(acknowledged + pending + dropped.rejected);
    },
  );

  it.each(["not HTTP at all\r\n\r\n", "HTTP/1.1 202 Accepted\r\nContent-Length: 900\r\n\r\n{", ""])(
    "while what listens there says %j",
    async (bytes) => {
      const collector = await collect({ url: await answerEverythingWith(bytes) });
      await useFunctions(collector, 5);
      expect(collector.stats()).toMatchObject({ seen: 25, acknowledged: 0, pending: 25 });
    },
  );

  it("with a token that cannot be sent", async () => {
    const collector = await collect({ token: "naïve\n\u{1f600}" });
    await useFunctions(collector, 5);
    expect(collector.stats()).toMatchObject({ seen: 25, acknowledged: 0, pending: 25 });
  });

  it("with no options at all", async () => {
    const { createMetricsCollector } = await loadClient();
    const collector = createMetricsCollector(undefined as never);
    await useFunctions(collector, 2);
    expect(collector.stats().seen).toBe(0);
    expect(vi.mocked(console.warn)).toHaveBeenCalledOnce();
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("no network");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no network"))],
    ["rejects with nothing", () => Promise.reject()],
    ["rejects with what cannot be shown", () => Promise.reject(Object.create(null) as Error)],
    ["gives nothing", () => undefined],
    ["never ends", () => new Promise(() => {})],
    ["gives an answer that cannot be read", () => ({ status: 202, text: () => Promise.reject(error) })],
    [
      "gives an answer whose text is none",
      () => ({ status: 500, headers: new Headers(), text: () => Promise.resolve(7) }),
    ],
  ])("while fetch %s", async (_, fetch) => {
    let broken = true;
    let attempts = 0;
    const collector = await collect({
      fetcher: {
        fetch: (url, init) => {
          attempts++;
          return broken ? (fetch() as Promise<Response>) : server.fetcher.fetch(url, init);
        },
      },
    });
    await useFunctions(collector, 6);
    expect(attempts).toBeGreaterThan(0);
    // And nothing is lost once it is well again.
    broken = false;
    expect(await collector.flush({ timeoutMs: 5_000 })).toBe(true);
    expect(server.totalCalls).toBe(30);
  });

  it("while the token cannot be had", async () => {
    let broken = true;
    const collector = await collect({
      fetcher: server.fetcher,
      get token(): string {
        if (broken) throw new Error("The vault is sealed.");
        return "secret";
      },
    });
    await useFunctions(collector);
    broken = false;
    expect(await collector.flush({ timeoutMs: 5_000 })).toBe(true);
    expect(server.totalCalls).toBe(60);
  });

  it.each<[string, Partial<CollectorOptions>]>([
    [
      "hooks throw",
      {
        onError: () => {
          throw new Error("hook");
        },
        onDrop: () => {
          throw new Error("hook");
        },
      },
    ],
    [
      "hooks reject",
      {
        onError: rejects,
        onDrop: rejects,
      },
    ],
    [
      "isError throws",
      {
        isError: () => {
          throw new Error("isError");
        },
      },
    ],
    [
      "waitUntil throws",
      {
        waitUntil: () => {
          throw new Error("outside of an invocation");
        },
      },
    ],
  ])("while %s", async (_, options) => {
    let answers = 0;
    server.reply = () => ({ status: answers++ % 2 ? 400 : 500 });
    const collector = await collect({ ...options, fetcher: server.fetcher });
    await useFunctions(collector);
    expect(collector.stats().seen).toBe(60);
    await collector.flush({ timeoutMs: 50 });
    expect(answers).toBeGreaterThan(0);
    await sleep(5);
    expect(unhandled).toEqual([]);
  });

  it("while the console throws", async () => {
    vi.mocked(console.warn).mockImplementation(() => {
      throw new Error("EPIPE");
    });
    server.reply = () => "dropRequest";
    await useFunctions(await collect({ fetcher: server.fetcher }));
    expect(vi.mocked(console.warn)).toHaveBeenCalled();
  });

  it.each<[string, string, object]>([
    ["the process is a shim", "process", { env: {} }],
    ["the document is a shim", "document", {}],
  ])("where %s", async (_, name, shim) => {
    vi.stubGlobal(name, shim);
    const collector = await collect({ fetcher: server.fetcher });
    const add = collector(function add(n: number) {
      return n + 1;
    });
    expect(add(1)).toBe(2);
    expect(await collector.close()).toBe(true);
    vi.unstubAllGlobals();
    expect(server.calls).toEqual({ add: 1 });
  });

  it("under any name, however many there are", async () => {
    const collector = await collect({ fetcher: server.fetcher, maxFunctions: 5 });
    for (const name of [
      "",
      "\0",
      "\ud800",
      "n".repeat(10_000),
      "__proto__",
      "constructor",
      "toString",
      "🙂",
    ]) {
      expect(collector({ name }, (n: number) => n + 1)(1)).toBe(2);
    }
    expect(await collector.flush()).toBe(true);
    expect(collector.stats()).toMatchObject({ seen: 8, acknowledged: 8 });
    expect(server.requests.flatMap(({ samples }) => samples).every((s) => s.function.length <= 200)).toBe(
      true,
    );
  });
});

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
