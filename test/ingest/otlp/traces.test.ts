/** What spans become: functions, failures, times; and that the same bytes count once. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { otlpLimits } from "../../../src/ingest/otlp/limits.ts";
import worker from "../../../src/index.ts";
import { readTotals } from "../../../src/read/series.ts";
import { envWith } from "../../faults.ts";
import { buffer, calls, metrics } from "../../worker.ts";
import { pendingDeltas, sendOtlp } from "./sample.ts";
import { resourceSpans, span, type SpanJson, tracesJson } from "./spans.ts";

const TRACES = { path: "/v1/traces", contentType: "application/json" };

async function take(spans: readonly SpanJson[], service = "shop"): Promise<void> {
  const response = await sendOtlp(TRACES, tracesJson(service, spans));
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
}

async function takeWith(vars: Partial<Env>, body: string): Promise<number> {
  const init = { method: "POST", headers: { "Content-Type": TRACES.contentType }, body };
  return (await worker.fetch(new Request("https://metrics.example/v1/traces", init), envWith(vars))).status;
}

describe("a span", () => {
  it("counts if it is of a server, a consumer, internal or of no kind", async () => {
    const kinds = [0, 1, 2, 3, 4, 5, "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT"];
    await take(kinds.map((kind) => span(`kind ${kind}`, 0, { kind })));
    expect(Object.keys(await calls()).sort()).toEqual([
      "kind 0",
      "kind 1",
      "kind 2",
      "kind 5",
      "kind SPAN_KIND_SERVER",
    ]);
  });

  it("of a client counts if OTLP_SPAN_KINDS lists clients", async () => {
    expect(
      await takeWith(
        { OTLP_SPAN_KINDS: "client" },
        tracesJson("shop", [span("a"), span("b", 0, { kind: 3 })]),
      ),
    ).toBe(200);
    expect(await calls()).toEqual({ b: 1 });
    expect(await takeWith({ OTLP_SPAN_KINDS: "clients" }, tracesJson("shop", []))).toBe(500);
  });

  it("of the server itself is not counted, and of other ignored services neither", async () => {
    await take([span("POST /samples")], "metrics-collector");
    expect(await takeWith({ OTLP_IGNORED_SERVICES: "mine, other" }, tracesJson("mine", [span("a")]))).toBe(
      200,
    );
    expect(await metrics()).toEqual([]);
  });

  it("counts as one call if it was sampled, or with its weight if OTLP_SAMPLING says so", async () => {
    const sampled = (traceState: string) => span("pay", 0, { traceState });
    // 1 of 4, 1 of 2 and 1 of 1.6 spans are kept, and the last says nothing.
    const spans = ["ot=th:c", "x=1,ot=rv:1;th:8", "ot=th:6", "th:c"].map(sampled);
    await take(spans);
    expect(await calls()).toEqual({ pay: 4 });
    expect(await takeWith({ OTLP_SAMPLING: "scale" }, tracesJson("bank", spans))).toBe(200);
    expect((await metrics()).map((row) => [row.service, row.calls])).toEqual([
      ["bank", 9],
      ["shop", 4],
    ]);
  });

  it("that ends ahead of the clock counts now", async () => {
    await take([span("pay", -3_600_000)]);
    const [delta] = await pendingDeltas();
    expect(delta!.lastSeen).toBeLessThanOrEqual(Date.now());
    expect(delta!.minute * 1000).toBeLessThanOrEqual(Date.now());
  });

  it("keeps a long name, cut, and replaces control characters", async () => {
    await take([span("x".repeat(5_000)), span("a\u0000b\n c")]);
    expect(Object.keys(await calls()).sort()).toEqual(["a b   c".replace("   ", "  "), "x".repeat(200)]);
  });

  it("is an error of its exception, else of its outcome; a client that left is none", async () => {
    const outcome = (value: string) => [{ key: "cloudflare.outcome", value: { stringValue: value } }];
    const exception = {
      name: "exception",
      attributes: [{ key: "exception.type", value: { stringValue: "E" } }],
    };
    await take([
      span("a", 0, { status: { code: 2, message: "m" }, events: [exception] }),
      span("b", 0, { attributes: outcome("exceededMemory") }),
      span("c", 0, { attributes: outcome("canceled") }),
      span("d", 0, { events: [exception] }),
    ]);
    const found = (await pendingDeltas()).map(({ function: name, failures }) => [name, failures]);
    expect(found).toEqual([
      ["a", [{ name: "E", message: "", calls: 1 }]],
      ["b", [{ name: "exceededMemory", message: "", calls: 1 }]],
      ["c", []],
      ["d", []],
    ]);
  });
});

describe("a request", () => {
  it("gives its fields in any order", async () => {
    const { resource, scopeSpans } = resourceSpans("shop", [span("a")]) as Record<string, unknown>;
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans, resource }] });
    expect((await sendOtlp(TRACES, body)).status).toBe(200);
    expect(await calls()).toEqual({ a: 1 });
  });

  it("of 20,000 spans with 5,000 names counts each", async () => {
    const spans = Array.from({ length: 20_000 }, (_, i) => span(`function ${i % 5_000} ${"x".repeat(150)}`));
    await take(spans);
    await take(spans.map((one) => ({ ...one, kind: 5 })));
    const sums = (await readTotals(env)).map((totals) => totals.calls);
    expect(sums.reduce((sum, each) => sum + each, 0)).toBe(40_000);
  });

  it("that fills several batches is cut the same way when it comes again, though parts are too old by then", async () => {
    const { deltasPerBatch } = otlpLimits;
    Object.assign(otlpLimits, { deltasPerBatch: 2 });
    try {
      const almostLate = 48 * 3_600_000 - 1_000;
      const spans = ["a", "b", "c", "d", "e"].map((name, i) => span(name, i % 2 === 0 ? almostLate : 0));
      const body = tracesJson("shop", spans);
      await sendOtlp(TRACES, body);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const again = await sendOtlp(TRACES, body);
      expect(await again.text()).toBe("{}");
      expect(await calls()).toEqual({ a: 1, b: 1, c: 1, d: 1, e: 1 });
    } finally {
      Object.assign(otlpLimits, { deltasPerBatch });
    }
  });

  it("of several services counts each part once, though one part was refused at first", async () => {
    const body = JSON.stringify({
      resourceSpans: [resourceSpans("shop", [span("a")]), resourceSpans("bank", [span("b")])],
    });
    // The buffer refuses the service that owns most keys, and takes the other.
    const BUFFER = new Proxy(env.BUFFER, {
      get: () => (name: string) => ({
        recordGroup: async (group: { service: string }) =>
          group.service === "bank"
            ? [{ status: "overloaded" }]
            : env.BUFFER.getByName(name).recordGroup(group as never),
      }),
    });
    const init = { method: "POST", headers: { "Content-Type": TRACES.contentType }, body };
    const refused = await worker.fetch(
      new Request("https://metrics.example/v1/traces", init),
      envWith({ BUFFER }),
    );
    expect([refused.status, refused.headers.get("Retry-After")]).toEqual([503, "5"]);
    expect(await calls()).toEqual({ a: 1 });
    for (let i = 0; i < 2; i++) expect((await sendOtlp(TRACES, body)).status).toBe(200);
    expect(await calls()).toEqual({ a: 1, b: 1 });
  });

  it("writes nothing if nothing of it counts", async () => {
    await buffer().health();
    await sendOtlp(TRACES, tracesJson("shop", [span("a", 0, { kind: 3 })]));
    const rows = await runInDurableObject(buffer(), (_, { storage: { sql } }) =>
      sql.exec("SELECT name FROM sqlite_master WHERE name GLOB 'keys_*'").toArray(),
    );
    expect(rows).toEqual([]);
    await evictDurableObject(buffer());
  });
});
