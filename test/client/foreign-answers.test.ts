/** Answers that are not from the server settle nothing. */
import { describe, expect, it } from "vitest";
import { server, collect, call, answerInTurn, nothingDropped } from "./sending.ts";

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
