import { describe, expect, it } from "vitest";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { acknowledged, calls, fetchWorker, post } from "../worker.ts";

const HOUR_MS = 3_600_000;

/** Sends a body as it is, and returns what came back. */
async function send(body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetchWorker("/samples", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
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

describe("a body that is no batch is refused as a whole", () => {
  it.each([
    ["not JSON", "{", 400, "invalid_json", /not JSON/],
    ["empty", "", 400, "invalid_json", /not JSON/],
    ["an array", "[]", 400, "invalid_batch", /must be a JSON object/],
    ["null", "null", 400, "invalid_batch", /must be a JSON object/],
    [
      "without samples",
      '{"service":"shop"}',
      400,
      "invalid_batch",
      "samples must be an array; it is missing.",
    ],
    [
      "with samples of another type",
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
    ["with a service of another type", '{"service":7,"samples":[]}', 400, "invalid_batch", /it is 7\.$/],
    ["with an empty service", '{"service":" ","samples":[]}', 400, "invalid_batch", /^service must be/],
    [
      "with a long service",
      JSON.stringify({ service: "s".repeat(101), samples: [] }),
      400,
      "invalid_batch",
      /^service/,
    ],
    [
      "with a key of another type",
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

  it("or taken in part, however deeply it is nested", async () => {
    const deep = `${"[".repeat(300_000)}${"]".repeat(300_000)}`;
    const sample = { function: "f", calls: 1, histogram: { "0": 0 } };
    for (const body of [
      deep,
      `{"service":${deep},"samples":[]}`,
      `{"service":"shop","samples":${deep}}`,
      `{"service":"shop","samples":[{"function":"f","durationMs":${deep}}]}`,
      JSON.stringify({ service: "shop", samples: [sample] }).replace('"0":0', `"0":${deep}`),
    ]) {
      expect([202, 400]).toContain((await send(body)).status);
    }
    expect(await calls()).toEqual({});
  });

  it("whatever its members pretend to be", async () => {
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
      expect(await acknowledged([{ ...call, [field]: hostile }])).toMatchObject({ accepted: 0, rejected: 1 });
    }
    expect(await calls()).toEqual({});
  });

  it("not UTF-8", async () => {
    expect(await send(new Uint8Array([0xff, 0xfe]))).toMatchObject({
      status: 400,
      error: { code: "invalid_text" },
    });
  });

  it.each(["application/x-www-form-urlencoded", "application/xml", "text/html"])(
    "of type %s",
    async (type) => {
      const answer = await send('{"service":"shop","samples":[]}', { "Content-Type": type });
      expect(answer).toMatchObject({ status: 415, error: { code: "unsupported_content_type" } });
    },
  );

  it.each(["br", "deflate", "gzip, gzip"])("in the encoding %s", async (encoding) => {
    const answer = await send('{"service":"shop","samples":[]}', { "Content-Encoding": encoding });
    expect(answer).toMatchObject({ status: 415, error: { code: "unsupported_encoding" } });
  });

  it("that says it is gzip and is not, or is cut off", async () => {
    const whole = await gzip('{"service":"shop","samples":[]}');
    for (const body of ["{}", whole.slice(0, -6)]) {
      expect(await send(body, { "Content-Encoding": "gzip" })).toMatchObject({
        status: 400,
        error: { code: "unreadable_body" },
      });
    }
  });

  it("above the limit, before and after decompression", async () => {
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

  it("with more samples than a batch may have", async () => {
    const call = { function: "f", durationMs: 1 };
    expect((await post(Array.from({ length: 5_000 }, () => call))).status).toBe(202);
    const response = await post(Array.from({ length: 5_001 }, () => call));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: { code: "batch_too_large", message: "The batch has 5001 samples. Send at most 5000 at once." },
    });
    expect(await calls()).toEqual({ f: 5_000 });
  });

  it("that would not fit a row of the buffer", async () => {
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

describe("a bad sample costs no other", () => {
  const good = { function: "good", durationMs: 1 };
  const sum = { function: "f", calls: 2, sumMs: 2, minMs: 1, maxMs: 1, histogram: { "-1": 2 } };
  it.each<[string, unknown, string | RegExp]>([
    ["no object", 7, "A sample must be an object; it is 7."],
    ["null", null, "A sample must be an object; it is null."],
    [
      "without a function",
      { durationMs: 1 },
      /^function must be a string of 1 to 200 characters.*it is missing/,
    ],
    ["an empty name", { function: "", durationMs: 1 }, /^function must be/],
    ["a name of spaces", { function: "  ", durationMs: 1 }, /^function must be/],
    ["a long name", { function: "f".repeat(201), durationMs: 1 }, /^function must be/],
    ["a control character", { function: "a\u0000b", durationMs: 1 }, /none of them a control character/],
    ["a long module", { function: "f", module: "m".repeat(201), durationMs: 1 }, /^module must be/],
    ["no duration", { function: "f" }, /^durationMs must be a number of milliseconds.*it is missing/],
    ["a negative duration", { function: "f", durationMs: -1 }, /it is -1\.$/],
    ["a duration that is no number", { function: "f", durationMs: "1" }, /it is "1"\.$/],
    ["an absurd duration", { function: "f", durationMs: 8 * 24 * HOUR_MS }, /^durationMs must be/],
    ["a NaN, which JSON writes as null", { function: "f", durationMs: NaN }, /it is null\.$/],
    [
      "an error that is no object",
      { function: "f", durationMs: 1, error: "oops" },
      /^error must be an object/,
    ],
    ["too old", { function: "f", durationMs: 1, at: Date.now() - 49 * HOUR_MS }, /more than 48 hours ago/],
    ["a time that is no number", { function: "f", durationMs: 1, at: "today" }, /^at must be a time/],
    ["no calls", { ...sum, calls: 0 }, "calls must be at least 1; it is 0."],
    ["half a call", { ...sum, calls: 1.5 }, /^calls must be a whole number/],
    ["more errors than calls", { ...sum, errors: 3 }, "errors (3) must not be above calls (2)."],
    ["more unmeasured than calls", { ...sum, unmeasured: 3 }, "unmeasured (3) must not be above calls (2)."],
    [
      "a histogram that does not add up",
      { ...sum, histogram: { "0": 1 } },
      "histogram adds up to 1 calls, but calls - unmeasured is 2.",
    ],
    ["a bucket that is no number", { ...sum, histogram: { "1.5": 2 } }, /histogram has the bucket "1\.5"/],
    ["a bucket far off", { ...sum, histogram: { "99999": 2 } }, /histogram has the bucket "99999"/],
    ["a bucket of its own kind", { ...sum, histogram: JSON.parse('{"__proto__":2}') as object }, /histogram/],
    ["a count that is none", { ...sum, histogram: { "0": -2 } }, /histogram counts -2 calls/],
    ["a histogram of another type", { ...sum, histogram: [2] }, /^histogram/],
    [
      "more failures than errors",
      { ...sum, errors: 1, failures: [{ name: "E", message: "", calls: 2 }] },
      /^failures add up to 2/,
    ],
    ["failures of another type", { ...sum, failures: "E" }, 'failures must be an array; it is "E".'],
    ["a minimum above the maximum", { ...sum, minMs: 2 }, "minMs (2) must not be above maxMs (1)."],
    ["no minimum", { ...sum, minMs: undefined }, "minMs and maxMs must be given if calls were measured."],
    ["a sum below what its minimum allows", { ...sum, sumMs: 1 }, /^sumMs \(1\) must lie between/],
    [
      "a sum of nothing measured",
      { function: "f", calls: 2, unmeasured: 2, sumMs: 5 },
      "sumMs is 5, but no call was measured.",
    ],
  ])("%s", async (_, bad, reason) => {
    const answer = await acknowledged([good, bad, good]);
    expect(answer).toMatchObject({ accepted: 2, rejected: 1, duplicate: false });
    expect(answer.reasons).toHaveLength(1);
    expect(answer.reasons[0]?.index).toBe(1);
    expect(answer.reasons[0]?.reason).toMatch(reason);
    expect(await calls()).toEqual({ good: 2 });
  });

  it("and of many bad ones the first hundred are told", async () => {
    const answer = await acknowledged([...Array.from({ length: 150 }, () => ({})), good]);
    expect(answer).toMatchObject({ accepted: 1, rejected: 150 });
    expect(answer.reasons).toHaveLength(100);
  });
});

describe("what is no route", () => {
  it.each([
    ["GET", "/samples", 405, "POST"],
    ["DELETE", "/metrics", 405, "GET, HEAD"],
    ["GET", "/nothing", 404, null],
    ["POST", "/", 404, null],
  ])("%s %s is answered in the one error shape", async (method, path, status, allow) => {
    const response = await fetchWorker(path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("Allow")).toBe(allow);
    const { error } = await response.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe(status === 405 ? "method_not_allowed" : "not_found");
    expect(error.message).toContain(path);
  });
});
