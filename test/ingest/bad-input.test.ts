import { describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { envWith, unreachableBuffers } from "../faults.ts";
import { acknowledged, calls, fetchWorker, getJson, post, refused } from "../worker.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

/** Posts a body unchanged. Returns the status and the JSON of the answer. */
async function send(body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetchWorker("/samples", {
    method: "POST",
    headers: { ...JSON_TYPE, ...headers },
    body,
  });
  return {
    status: response.status,
    ...(await response.json<{ error: { code: string; message: string } }>()),
  };
}

async function gzip(text: string | Uint8Array): Promise<Uint8Array> {
  const stream = new Response(text).body!.pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).bytes();
}

describe("POST /samples rejects a body as a whole", () => {
  it.each([
    ["that is not JSON", "{", 400, "invalid_json", /not JSON/],
    ["that is empty", "", 400, "invalid_json", /not JSON/],
    ["that is an array", "[]", 400, "invalid_batch", /must be a JSON object/],
    ["that is null", "null", 400, "invalid_batch", /must be a JSON object/],
    [
      "without samples",
      '{"service":"shop"}',
      400,
      "invalid_batch",
      "samples must be an array; it is missing.",
    ],
    [
      "whose samples are an object",
      '{"service":"shop","samples":{}}',
      400,
      "invalid_batch",
      "samples must be an array; it is an object.",
    ],
    [
      "without a service",
      '{"samples":[]}',
      400,
      "invalid_batch",
      /^service must be a string of 1 to 100 characters/,
    ],
    ["whose service is a number", '{"service":7,"samples":[]}', 400, "invalid_batch", /it is 7\.$/],
    ["with an empty service", '{"service":" ","samples":[]}', 400, "invalid_batch", /^service must be/],
    [
      "with a long service",
      JSON.stringify({ service: "s".repeat(101), samples: [] }),
      400,
      "invalid_batch",
      /^service/,
    ],
    [
      "whose key is a number",
      '{"service":"s","samples":[],"idempotencyKey":1}',
      400,
      "invalid_batch",
      /^idempotencyKey/,
    ],
    ["with an empty key", '{"service":"s","samples":[],"idempotencyKey":""}', 400, "invalid_key", /it has 0/],
    [
      "with a long key",
      JSON.stringify({ service: "s", samples: [], idempotencyKey: "k".repeat(129) }),
      400,
      "invalid_key",
      /it has 129/,
    ],
  ])("%s", async (_, body, status, code, message) => {
    const answer = await send(body);
    expect(answer).toMatchObject({ status, error: { code } });
    expect(answer.error.message).toMatch(message);
  });

  it("or in part, however deeply it is nested", async () => {
    const deep = `${"[".repeat(300_000)}${"]".repeat(300_000)}`;
    const sample = { function: "f", calls: 1, histogram: { "0": 0 } };
    for (const body of [
      deep,
      `{"service":${deep},"samples":[]}`,
      `{"service":"shop","samples":${deep}}`,
      `{"service":"shop","samples":[{"function":"f","durationMs":${deep}}]}`,
      JSON.stringify({ service: "shop", samples: [sample] }).replace('"0":0', `"0":${deep}`),
    ]) {
      expect([400, 422]).toContain((await send(body)).status);
    }
    expect(await calls()).toEqual({});
  });

  it("whose fields pretend to be strings or arrays", async () => {
    const hostile = { length: { toString: 1, valueOf: 1, toJSON: 1 }, toString: 1 };
    for (const batch of [
      { service: hostile, samples: [] },
      { service: "shop", samples: hostile },
      { service: "shop", samples: [], idempotencyKey: hostile },
    ]) {
      expect((await send(JSON.stringify(batch))).status).toBe(400);
    }
    const call = { function: "f", calls: 1, errors: 1, sumMs: 1, minMs: 1, maxMs: 1, histogram: { "-1": 1 } };
    for (const field of ["function", "module", "at", "calls", "sumMs", "histogram", "failures"]) {
      expect(await refused([{ ...call, [field]: hostile }])).toMatchObject({ accepted: 0, rejected: 1 });
    }
    expect(await calls()).toEqual({});
  });

  it("that is not UTF-8", async () => {
    expect(await send(new Uint8Array([0xff, 0xfe]))).toMatchObject({
      status: 400,
      error: { code: "invalid_text" },
    });
  });

  it.each(["application/x-www-form-urlencoded", "application/xml", "text/html"])(
    "of the content type %s",
    async (type) => {
      const answer = await send('{"service":"shop","samples":[]}', { "Content-Type": type });
      expect(answer).toMatchObject({ status: 415, error: { code: "unsupported_content_type" } });
    },
  );

  it.each(["br", "deflate", "gzip, gzip"])("in the encoding %s", async (encoding) => {
    const answer = await send('{"service":"shop","samples":[]}', { "Content-Encoding": encoding });
    expect(answer).toMatchObject({ status: 415, error: { code: "unsupported_encoding" } });
  });

  it("that is not gzip, or only a part of it, if its encoding is gzip", async () => {
    const whole = await gzip('{"service":"shop","samples":[]}');
    for (const body of ["{}", whole.slice(0, -6)]) {
      expect(await send(body, { "Content-Encoding": "gzip" })).toMatchObject({
        status: 400,
        error: { code: "unreadable_body" },
      });
    }
  });

  it("that is too large, before or after decompression", async () => {
    const padded = (size: number) => '{"service":"shop","samples":[]}'.padEnd(size);
    expect((await send(padded(ingestLimits.bodyBytes))).status).toBe(202);
    expect(await send(padded(ingestLimits.bodyBytes + 1))).toMatchObject({
      status: 413,
      error: { code: "body_too_large" },
    });
    expect(
      (await send(await gzip(padded(ingestLimits.bodyBytes)), { "Content-Encoding": "gzip" })).status,
    ).toBe(202);
    const bomb = await gzip(new Uint8Array(64 * 1024 * 1024));
    expect(bomb.byteLength).toBeLessThan(100_000);
    expect(await send(bomb, { "Content-Encoding": "gzip" })).toMatchObject({
      status: 413,
      error: { code: "body_too_large" },
    });
  });

  it("with more than 5,000 samples", async () => {
    const call = { function: "f", durationMs: 1 };
    expect((await post(Array.from({ length: 5_000 }, () => call))).status).toBe(202);
    const response = await post(Array.from({ length: 5_001 }, () => call));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: { code: "batch_too_large", message: "The batch has 5001 samples. Send at most 5000 at once." },
    });
    expect(await calls()).toEqual({ f: 5_000 });
  });

  it("that does not fit into one row of the buffer", async () => {
    const samples = Array.from({ length: 5_000 }, (_, i) => ({
      function: `${"f".repeat(100)}${i}`,
      durationMs: 1,
    }));
    const response = await post(samples, { service: "s".repeat(100) });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: { code: "batch_too_large", message: expect.stringContaining("Split") as string },
    });
    expect(await calls()).toEqual({});
  });
});

describe("POST /samples", () => {
  const good = { function: "good", durationMs: 1 };

  it("accepts valid samples even if others are rejected, and says which and why", async () => {
    const bad = { function: "bad", durationMs: -1 };
    expect(await acknowledged([good, bad, good])).toEqual({
      accepted: 2,
      rejected: 1,
      reasons: [
        {
          index: 1,
          reason: "durationMs must be a number of milliseconds from 0 to 604800000; it is -1.",
        },
      ],
      rejectedRanges: [[1, 1]],
      duplicate: false,
    });
    expect(await calls()).toEqual({ good: 2 });
  });

  it("answers 422 if it accepts none of the samples, and again to the same batch", async () => {
    const bad = { function: "bad", durationMs: -1 };
    const reasons = [0, 1].map((index) => ({
      index,
      reason: "durationMs must be a number of milliseconds from 0 to 604800000; it is -1.",
    }));
    const answer = { accepted: 0, rejected: 2, reasons, rejectedRanges: [[0, 1]] };
    expect(await refused([bad, bad], { key: "k" })).toEqual({ ...answer, duplicate: false });
    expect(await refused([bad, bad], { key: "k" })).toEqual({ ...answer, duplicate: true });
    expect(await refused([bad, bad])).toEqual({ ...answer, duplicate: false });
    expect((await post([bad, good], { key: "k" })).status).toBe(409);
    expect(await acknowledged([], { key: "empty" })).toMatchObject({ accepted: 0, rejected: 0 });
    expect(await calls()).toEqual({});
  });

  it("says for how long a key is remembered", async () => {
    await acknowledged([good], { key: "k" });
    const response = await post([good, good], { key: "k" });
    expect(response.status).toBe(409);
    const { error } = await response.json<{ error: { message: string } }>();
    expect(error.message).toContain("within the last 72 hours");
  });

  it("reads a body without a Content-Type as JSON", async () => {
    const body = new TextEncoder().encode(JSON.stringify({ service: "shop", samples: [good] }));
    const response = await fetchWorker("/samples", { method: "POST", body });
    expect(response.status).toBe(202);
    expect(await calls()).toEqual({ good: 1 });
  });

  it("reads no other charset than UTF-8", async () => {
    const body = JSON.stringify({ service: "shop", samples: [good] });
    expect(await send(body, { "Content-Type": "application/json; charset=latin1" })).toMatchObject({
      status: 415,
      error: { code: "unsupported_charset" },
    });
    expect(await send(body, { "Content-Type": "application/json; charset=UTF-8" })).toMatchObject({
      status: 202,
    });
  });

  it("takes no service of the overflow's name", async () => {
    const response = await post([good], { service: "__overflow__" });
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: { message: string } }>();
    expect(error.message).toMatch(/^service must not be __overflow__/);
  });

  it("finds a failure by its message however its letters are composed", async () => {
    const failing = (message: string) => ({ ...good, error: message });
    await acknowledged([failing("e\u0301chec"), failing("\u00e9chec")]);
    const { failures } = await getJson<{ failures: unknown[] }>("/metrics/shop/good");
    expect(failures).toMatchObject([{ name: "Error", message: "\u00e9chec", calls: 2 }]);
  });

  it("does not disturb the buffer for a batch that is empty and has no key", async () => {
    const env = envWith({ BUFFER: unreachableBuffers() });
    const sent = (body: object) =>
      app.request("/samples", { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) }, env);
    const empty = { service: "shop", samples: [] };
    const answer = await sent(empty);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ accepted: 0, rejected: 0, reasons: [], duplicate: false });
    expect((await sent({ ...empty, idempotencyKey: "k" })).status).toBe(503);
  });

  it("does not repeat a token that has the wrong type", async () => {
    const answer = await send('{"service":"shop","samples":[],"token":[31415926]}');
    expect(answer).toMatchObject({ status: 400, error: { message: "token must be a string." } });
    const number = await send('{"service":"shop","samples":[],"token":31415926}');
    expect(number.error.message).toBe("token must be a string.");
  });
});

describe("a request that matches no route", () => {
  it.each([
    ["GET", "/samples", 405, "POST"],
    ["DELETE", "/metrics", 405, "GET, HEAD"],
    ["GET", "/nothing", 404, null],
    ["POST", "/", 405, "GET, HEAD"],
    ["PUT", "/", 405, "GET, HEAD"],
    ["POST", "/sample", 404, null],
  ])("%s %s gets an error of the usual shape", async (method, path, status, allow) => {
    const response = await fetchWorker(path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("Allow")).toBe(allow);
    const { error } = await response.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe(status === 405 ? "method_not_allowed" : "not_found");
    expect(error.message).toContain(path);
  });
});
