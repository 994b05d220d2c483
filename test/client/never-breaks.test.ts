/** What a wrapped function returns, throws and takes is its own, whatever becomes of the metrics. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { CollectorOptions } from "../../client/index.ts";
import { loadClient } from "./fresh-client.ts";
import { server, unhandled, collect, error, rejects, useFunctions, answerEverythingWith } from "./harm.ts";

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
