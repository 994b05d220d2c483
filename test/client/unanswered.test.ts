/** Batches without a definite answer are sent again, the same. */
import { describe, expect, it, vi } from "vitest";
import { type Answer, FakeServer } from "./fake-server.ts";
import { server, collect, collectOverHttp, call, answerInTurn, nothingDropped } from "./sending.ts";

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
