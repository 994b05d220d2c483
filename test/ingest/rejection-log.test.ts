import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { batch, deployed, postAs, secrets, send } from "../access/deployed.ts";
import { unreachableBuffers } from "../faults.ts";

const SECRET = "writer-one";
const call = { function: "s3cret-function", durationMs: 1, error: { name: "E", message: "s3cret message" } };
const bad = { function: "s3cret-function", durationMs: -1 };
const old = { ...call, at: 1 };
const body = (samples: unknown[]) => JSON.stringify({ service: "s3cret-service", samples });

let lines: string[];
beforeEach(() => {
  lines = [];
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(line));
  }
});
afterEach(() => void vi.restoreAllMocks());

/** What was logged: one line, which names the request that was answered, and nothing of the sender's. */
function logged(response: Response): Record<string, unknown> {
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/s3cret|writer|reader/);
  const { requestId, ...line } = JSON.parse(lines[0]!) as Record<string, unknown>;
  expect(requestId).toBe(response.headers.get("X-Request-Id"));
  return line;
}

describe("the log of POST /samples", () => {
  it("has no line for a batch that is taken, and none for its repetition", async () => {
    const key = { "Idempotency-Key": "s3cret-key" };
    for (let i = 0; i < 2; i++) {
      expect((await postAs(deployed(), SECRET, body([call, call]), key)).status).toBe(202);
    }
    expect(lines).toEqual([]);
  });

  it("has one for a batch that is taken in part: how many samples were not, by reason", async () => {
    const response = await postAs(deployed(), SECRET, body([call, bad, bad, old]));
    expect(response.status).toBe(202);
    expect(logged(response)).toEqual({ event: "samples_rejected", rejected: { invalid: 2, too_late: 1 } });
  });

  it("has one for a batch of which no sample is taken", async () => {
    const response = await postAs(deployed(), SECRET, body([bad]));
    expect(logged(response)).toEqual({ event: "samples_rejected", rejected: { invalid: 1 } });
  });

  it.each([
    ["no token", undefined, body([call]), {}, 401, "unauthorised"],
    ["a wrong token", "s3cret", body([call]), {}, 401, "unauthorised"],
    ["a token of another service", "shop-writer", body([call]), {}, 403, "wrong_service"],
    ["what is not JSON", SECRET, "{s3cret", {}, 400, "invalid_json"],
    ["what is no batch", SECRET, '{"samples":"s3cret"}', {}, 400, "invalid_batch"],
    ["another type", SECRET, "s3cret", { "Content-Type": "text/html" }, 415, "unsupported_content_type"],
    ["a long key", SECRET, body([call]), { "Idempotency-Key": "s3cret".repeat(50) }, 400, "invalid_key"],
    ["too much", SECRET, body(Array.from({ length: 5_001 }, () => call)), {}, 413, "batch_too_large"],
  ])("has one for %s", async (_, token, text, headers, status, code) => {
    const response = await postAs(deployed(), token, text, headers);
    expect(response.status).toBe(status);
    expect(logged(response)).toEqual({ event: "refused", status, code });
  });

  it("has one for a key that names another batch", async () => {
    const key = { "Idempotency-Key": "k" };
    await postAs(deployed(), SECRET, batch(), key);
    const response = await postAs(deployed(), SECRET, batch("shop", { samples: [] }), key);
    expect(logged(response)).toEqual({ event: "refused", status: 409, code: "key_reused" });
  });

  it("has one where a token sends too much", async () => {
    const limiter: RateLimit = { limit: async () => ({ success: false }) };
    const response = await postAs(deployed({ ...secrets, INGEST_RATE: limiter }), SECRET);
    expect(logged(response)).toEqual({ event: "refused", status: 429, code: "too_many_requests" });
  });

  it("has one where the buffer did not answer, with what it was", async () => {
    const env = deployed({ ...secrets, BUFFER: unreachableBuffers() });
    const response = await postAs(env, SECRET, body([call, bad]));
    expect(logged(response)).toEqual({
      event: "record_failed",
      status: 503,
      code: "buffer_unavailable",
      error: "Error: Durable Object is unreachable.",
    });
  });

  it("says nothing of other routes that refuse", async () => {
    expect((await send(deployed(), "/metrics?from=s3cret", { token: "reader" })).status).toBe(400);
    expect(lines).toEqual([]);
  });
});
