/** What OTLP's senders get as answers: in their own encoding, also where something outside of the route refuses them. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import worker from "../../../src/index.ts";
import { deployed } from "../../access/deployed.ts";
import { envWith, overloadedBuffers, unreachableBuffers } from "../../faults.ts";
import { calls } from "../../worker.ts";
import { sampleBytes } from "./sample.ts";
import { span, tracesJson } from "./spans.ts";

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/x-protobuf";

interface Sent {
  to?: Env;
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: BodyInit | null;
}

async function send({ to = env, path = "/v1/traces", method = "POST", headers = {}, body = null }: Sent) {
  const request = new Request(`https://metrics.example${path}`, {
    method,
    headers: { "Content-Type": JSON_TYPE, ...headers },
    body,
  });
  const response = await worker.fetch(request, to);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const type = response.headers.get("Content-Type");
  return {
    status: response.status,
    headers: response.headers,
    type,
    bytes,
    text: new TextDecoder().decode(bytes),
  };
}

/** The code and the message of a `google.rpc.Status` whose parts are shorter than 128 bytes or 16 KB. */
function statusIn(bytes: Uint8Array): { code: number; message: string } {
  expect([bytes[0], bytes[2]]).toEqual([0x08, 0x12]);
  const start = bytes[3]! < 0x80 ? 4 : 5;
  return { code: bytes[1]!, message: new TextDecoder().decode(bytes.subarray(start)) };
}

const good = () => tracesJson("shop", [span("pay")]);

describe("an answer", () => {
  it("is empty if all spans count, or none comes", async () => {
    expect(await send({ body: good() })).toMatchObject({ status: 200, type: JSON_TYPE, text: "{}" });
    const binary = { headers: { "Content-Type": PROTOBUF_TYPE }, body: new Uint8Array(0) };
    expect(await send(binary)).toMatchObject({ status: 200, type: PROTOBUF_TYPE, text: "" });
    expect(await calls()).toEqual({ pay: 1 });
  });

  it("tells how many spans were rejected, and each reason once", async () => {
    const spans = [
      span("pay"),
      { ...span("a"), endTimeUnixNano: "0" },
      { name: "b" },
      span("old", 49 * 3_600_000),
    ];
    const { text } = await send({ body: tracesJson("shop", spans) });
    expect(JSON.parse(text)).toEqual({
      partialSuccess: {
        rejectedSpans: 3,
        errorMessage:
          "A span has no end time. (2) Ended more than 48 hours ago. Older ones are not counted. (1)",
      },
    });
  });

  it("tells it in protobuf to a sender of protobuf", async () => {
    // A span with a name and without a time, of no service.
    const body = Uint8Array.from([0x0a, 0x07, 0x12, 0x05, 0x12, 0x03, 0x2a, 0x01, 0x61]);
    const { status, bytes } = await send({ headers: { "Content-Type": PROTOBUF_TYPE }, body });
    expect(status).toBe(200);
    expect([bytes[0], bytes[1], bytes[2], bytes[3]]).toEqual([0x0a, bytes.length - 2, 0x08, 1]);
    expect(new TextDecoder().decode(bytes.subarray(6))).toBe("A span has no end time. (1)");
  });
});

describe("an error", () => {
  it.each([
    [400, 3, { body: "{" }, /^The body is not OTLP in JSON: the body ends at position 1/],
    [400, 3, { body: '{"resourceSpans":[{"resource":3}]}' }, /where an object should be/],
    [
      415,
      3,
      { body: "", headers: { "Content-Type": "text/html" } },
      /^Content-Type must be application\/json or/,
    ],
    [413, 8, { body: good(), headers: { "Content-Length": "1" }, path: "/v1/traces?x=" }, /./],
    [401, 16, { body: good(), to: deployed() }, /^The token is missing/],
    [404, 5, { path: "/v1/logs" }, /^This server takes traces and metrics, not logs/],
    [405, 12, { method: "GET", body: null }, /takes POST/],
    [403, 7, { body: good(), headers: { Origin: "https://evil.example" } }, /^Web pages of the origin/],
  ] as [number, number, Sent, RegExp][])(
    "%i is a google.rpc.Status in JSON",
    async (status, code, sent, message) => {
      if (status === 413)
        Object.assign(sent, { body: new Uint8Array(16 * 1024 * 1024 + 1), headers: {}, path: "/v1/traces" });
      const answer = await send(sent);
      expect([answer.status, answer.type]).toEqual([status, JSON_TYPE]);
      expect(JSON.parse(answer.text)).toEqual({ code, message: expect.stringMatching(message) as unknown });
    },
  );

  it("is in protobuf for a sender of protobuf", async () => {
    const headers = { "Content-Type": "application/x-protobuf; charset=utf-8" };
    const answer = await send({ headers, body: sampleBytes("edge-truncated.pb") });
    expect([answer.status, answer.type]).toEqual([400, PROTOBUF_TYPE]);
    expect(statusIn(answer.bytes)).toEqual({
      code: 3,
      message: expect.stringMatching(/^The body is not OTLP in protobuf: it is cut off/) as unknown,
    });
  });

  it.each([
    ["overloaded", () => envWith({ BUFFER: overloadedBuffers() })],
    ["not reachable", () => envWith({ BUFFER: unreachableBuffers() })],
    [
      "above its rate",
      () => deployed({ INGEST_TOKENS: "writer", INGEST_RATE: { limit: async () => ({ success: false }) } }),
    ],
  ])("is 503 if the server is %s, and says to come back within five seconds", async (_, to) => {
    const answer = await send({ body: good(), to: to(), headers: { Authorization: "Bearer writer" } });
    expect(answer.status).toBe(503);
    const seconds = Number(answer.headers.get("Retry-After"));
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(5);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 14 });
  });
});

describe("a token", () => {
  it.each(["Bearer shop-writer", "Bearer%20shop-writer"])(
    "may come as Authorization: %s",
    async (authorization) => {
      const answer = await send({ body: good(), to: deployed(), headers: { Authorization: authorization } });
      expect(answer.status).toBe(200);
    },
  );

  it("of one service may not send spans of another", async () => {
    const headers = { Authorization: "Bearer shop-writer" };
    const answer = await send({ body: tracesJson("bank", [span("pay")]), to: deployed(), headers });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([403, { code: 7 }]);
  });
});
