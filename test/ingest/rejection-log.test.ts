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

/**
 * Returns the only logged line. It must have the request's id and nothing that the sender sent. The line for unknown tokens is not
 * the request's: it comes once a minute, whichever request is the first, and `test/access/` tests it.
 */
function logged(response: Response): Record<string, unknown> {
  for (const line of lines) expect(line).not.toMatch(/s3cret|writer|reader/);
  const all = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const own = all.filter(({ event }) => event !== "unknown_token");
  expect(own).toHaveLength(1);
  const { requestId, ...line } = own[0]!;
  expect(requestId).toBe(response.headers.get("X-Request-Id"));
  return line;
}

describe("the log of POST /samples", () => {
  it("has no line for an accepted batch, and none for its duplicate", async () => {
    const key = { "Idempotency-Key": "s3cret-key" };
    for (let i = 0; i < 2; i++) {
      expect((await postAs(deployed(), SECRET, body([call, call]), key)).status).toBe(202);
    }
    expect(lines).toEqual([]);
  });

  it("has a line for a batch with rejected samples: how many there were, by reason", async () => {
    const response = await postAs(deployed(), SECRET, body([call, bad, bad, old]));
    expect(response.status).toBe(202);
    expect(logged(response)).toEqual({ event: "samples_rejected", rejected: { invalid: 2, too_late: 1 } });
  });

  it("has a line for a batch whose samples are all rejected", async () => {
    const response = await postAs(deployed(), SECRET, body([bad]));
    expect(logged(response)).toEqual({ event: "samples_rejected", rejected: { invalid: 1 } });
  });

  it.each([
    ["no token", undefined, body([call]), {}, 401, "unauthorised"],
    ["a wrong token", "s3cret", body([call]), {}, 401, "unauthorised"],
    ["a token of another service", "shop-writer", body([call]), {}, 403, "wrong_service"],
    ["a body that is not JSON", SECRET, "{s3cret", {}, 400, "invalid_json"],
    ["a body that is not a batch", SECRET, '{"samples":"s3cret"}', {}, 400, "invalid_batch"],
    [
      "another content type",
      SECRET,
      "s3cret",
      { "Content-Type": "text/html" },
      415,
      "unsupported_content_type",
    ],
    ["a long key", SECRET, body([call]), { "Idempotency-Key": "s3cret".repeat(50) }, 400, "invalid_key"],
    ["too many samples", SECRET, body(Array.from({ length: 5_001 }, () => call)), {}, 413, "batch_too_large"],
  ])("has a line for %s", async (_, token, text, headers, status, code) => {
    const response = await postAs(deployed(), token, text, headers);
    expect(response.status).toBe(status);
    expect(logged(response)).toEqual({ event: "refused", status, code });
  });

  it("has a line for a key that an earlier batch had", async () => {
    const key = { "Idempotency-Key": "k" };
    await postAs(deployed(), SECRET, batch(), key);
    const response = await postAs(deployed(), SECRET, batch("shop", { samples: [] }), key);
    expect(logged(response)).toEqual({ event: "refused", status: 409, code: "key_reused" });
  });

  it("has a line for a token that sends too many requests", async () => {
    const limiter: RateLimit = { limit: async () => ({ success: false }) };
    const response = await postAs(deployed({ ...secrets, INGEST_RATE: limiter }), SECRET);
    expect(logged(response)).toEqual({ event: "refused", status: 429, code: "too_many_requests" });
  });

  it("has a line with the cause if the buffer did not answer", async () => {
    const env = deployed({ ...secrets, BUFFER: unreachableBuffers() });
    const response = await postAs(env, SECRET, body([call, bad]));
    expect(logged(response)).toEqual({
      event: "record_failed",
      status: 503,
      code: "buffer_unavailable",
      error: "Error: Durable Object is unreachable.",
    });
  });

  it("has no line for errors of other routes", async () => {
    expect((await send(deployed(), "/metrics?from=s3cret", { token: "reader" })).status).toBe(400);
    expect(lines).toEqual([]);
  });
});
