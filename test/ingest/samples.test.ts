import { describe, expect, it } from "vitest";
import { acknowledged, fetchWorker, metrics } from "../worker.ts";

const NOON = Date.UTC(2026, 5, 1, 12);

describe("a sample", () => {
  it("is one call or a sum of many calls, and both add to the same counters", async () => {
    await acknowledged([
      { function: "work", module: "app/main", durationMs: 100.3 },
      {
        function: "work",
        module: "app/main",
        durationMs: 99.7,
        error: { name: "ValueError", message: "no" },
      },
      {
        function: "work",
        module: "app/main",
        calls: 3,
        errors: 1,
        unmeasured: 1,
        sumMs: 6,
        minMs: 2,
        maxMs: 4,
        histogram: { "31": 1, "63": 1 },
        failures: [{ name: "ValueError", message: "no", calls: 1 }],
      },
    ]);
    expect(await metrics()).toMatchObject([
      {
        service: "shop",
        module: "app/main",
        function: "work",
        calls: 5,
        errors: 2,
        unmeasured: 1,
        averageMs: 51.5,
        minMs: 2,
        maxMs: 100.3,
      },
    ]);
  });

  it("belongs to its module: functions of the same name in other modules are counted separately", async () => {
    await acknowledged([
      { function: "run", module: "a", durationMs: 1 },
      { function: "run", module: "b", durationMs: 2 },
      { function: "run", durationMs: 3 },
    ]);
    expect((await metrics()).map(({ module, averageMs }) => [module, averageMs])).toEqual([
      ["", 3],
      ["a", 1],
      ["b", 2],
    ]);
  });

  it("that the clock could not measure counts as a call and not as a duration", async () => {
    await acknowledged([
      { function: "cpu", durationMs: 0 },
      { function: "cpu", calls: 4, unmeasured: 4 },
    ]);
    expect(await metrics()).toMatchObject([
      {
        calls: 5,
        unmeasured: 5,
        averageMs: null,
        minMs: null,
        maxMs: null,
        p50Ms: null,
        p95Ms: null,
        p99Ms: null,
      },
    ]);
  });

  it("is of the present time if it has no time, or a time in the future", async () => {
    const before = Date.now();
    await acknowledged([
      { function: "undated", durationMs: 1 },
      { function: "ahead", durationMs: 1, at: NOON * 2 },
    ]);
    for (const { firstSeen, lastSeen } of await metrics()) {
      expect(Date.parse(firstSeen)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(lastSeen)).toBeLessThanOrEqual(Date.now());
    }
  });

  it("may be of the past: answers show the first and the last time", async () => {
    const now = Date.now();
    await acknowledged([
      { function: "work", durationMs: 1, at: now - 3_600_000 },
      { function: "work", durationMs: 1, at: now - 7_200_000 },
    ]);
    expect(await metrics()).toMatchObject([
      {
        firstSeen: new Date(now - 7_200_000).toISOString(),
        lastSeen: new Date(now - 3_600_000).toISOString(),
      },
    ]);
  });

  it("has a name in normal form: spaces around it and the composition of characters make no difference", async () => {
    await acknowledged([
      { function: "caf\u00e9", durationMs: 1 },
      { function: " cafe\u0301 ", durationMs: 1 },
      { function: "<b>'\"; DROP TABLE functions; -- \u{1F600}", durationMs: 1 },
      { function: "lone \ud800", durationMs: 1 },
    ]);
    expect((await metrics()).map((row) => [row.function, row.calls])).toEqual([
      ["caf\u00e9", 2],
      ["<b>'\"; DROP TABLE functions; -- \u{1F600}", 1],
      ["lone \ufffd", 1],
    ]);
  });
});

describe("POST /samples", () => {
  it("accepts gzip, and JSON with the content type text/plain", async () => {
    const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 1 }] });
    const zipped = await new Response(
      new Response(body).body!.pipeThrough(new CompressionStream("gzip")),
    ).bytes();
    const send = (headers: Record<string, string>, sent: BodyInit) =>
      fetchWorker("/samples", { method: "POST", headers, body: sent });
    const answers = [
      await send({ "Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip" }, zipped),
      await send({ "Content-Type": "text/plain;charset=UTF-8" }, body),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(202);
      expect(await answer.json()).toEqual({ accepted: 1, rejected: 0, reasons: [], duplicate: false });
    }
    expect(await metrics()).toMatchObject([{ calls: 2 }]);
  });

  it("accepts the example of the wire format", async () => {
    const at = Date.now();
    expect(
      await acknowledged([
        { function: "successful_function", module: "app/main", durationMs: 100.3, at },
        {
          function: "error_function",
          durationMs: 100.1,
          error: { name: "ValueError", message: "An error occurred" },
        },
        {
          function: "Cart.add",
          at,
          calls: 812,
          errors: 3,
          unmeasured: 12,
          sumMs: 693.1,
          minMs: 0.02,
          maxMs: 4.1,
          histogram: { "-12": 400, "-11": 400 },
          failures: [{ name: "TypeError", message: "x is undefined", calls: 3 }],
        },
      ]),
    ).toEqual({ accepted: 3, rejected: 0, reasons: [], duplicate: false });
  });
});
