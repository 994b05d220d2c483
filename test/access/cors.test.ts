import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { envWith } from "../faults.ts";
import { calls } from "../worker.ts";
import { batch, codeOf, deployed, postAs, secrets, send } from "./deployed.ts";

const LISTED = "https://two.example";
const STRANGE = "https://evil.example";
const withOrigins = (more: Partial<Env> = {}) =>
  deployed({ ...secrets, CORS_ORIGINS: "https://shop.example, https://two.example", ...more });

describe("a web page of another origin", () => {
  const preflight = (env: Env, origin: string) =>
    send(env, "/samples", {
      method: "OPTIONS",
      headers: { Origin: origin, "Access-Control-Request-Method": "POST" },
    });

  it.each(["", undefined])("may not read or write if CORS_ORIGINS is %j", async (origins) => {
    const env = deployed({ ...secrets, CORS_ORIGINS: origins as string });
    const response = await preflight(env, LISTED);
    expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
    expect((await send(env, "/metrics", { token: "reader" })).status).toBe(200);
    expect((await postAs(env, "writer-one")).status).toBe(202);
    expect((await postAs(env, "writer-one", batch(), { Origin: LISTED })).status).toBe(403);
  });

  it("may send and read if CORS_ORIGINS lists its origin", async () => {
    const allowed = await preflight(withOrigins(), LISTED);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("Access-Control-Allow-Origin")).toBe(LISTED);
    expect(allowed.headers.get("Access-Control-Allow-Headers")).toContain("Idempotency-Key");
    const other = await preflight(withOrigins(), STRANGE);
    expect(other.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("may also read errors, Retry-After and the request id if it is listed", async () => {
    const limiter: RateLimit = { limit: async () => ({ success: false }) };
    const as = async (env: Env, token: string, body?: string) => {
      const response = await postAs(env, token, body, { Origin: LISTED });
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe(LISTED);
      expect(response.headers.get("Access-Control-Expose-Headers")).toMatch(/Retry-After.*X-Request-Id/);
      return response.status;
    };
    expect(await as(withOrigins(), "wrong")).toBe(401);
    expect(await as(withOrigins(), "shop-writer", batch("bank"))).toBe(403);
    expect(await as(withOrigins(), "writer-one", "{")).toBe(400);
    expect(await as(withOrigins({ INGEST_RATE: limiter }), "writer-one")).toBe(429);
    expect(await as(withOrigins({ INGEST_TOKENS: "" }), "writer-one")).toBe(503);
    expect(await as(withOrigins({ MAX_ITEMS: "ten" }), "writer-one")).toBe(500);
    const nothing = await send(withOrigins(), "/nothing", { token: "reader", headers: { Origin: LISTED } });
    expect([nothing.status, nothing.headers.get("Access-Control-Allow-Origin")]).toEqual([404, LISTED]);
  });
});

describe("a request that a browser sends without asking", () => {
  const open = (more: Partial<Env> = {}) => envWith({ OPEN_WITHOUT_TOKENS: "true", ...more });
  const beacon = (env: Env, origin?: string) =>
    postAs(env, undefined, batch(), {
      "Content-Type": "text/plain;charset=UTF-8",
      ...(origin === undefined ? {} : { Origin: origin }),
    });

  it.each([STRANGE, "null", "http://metrics.example", "https://metrics.example:8787", "file://", ""])(
    "is rejected from the origin %j, even by a server that is open",
    async (origin) => {
      const response = await beacon(open(), origin);
      expect(response.status).toBe(403);
      const { error } = await response.json<{ error: { code: string; message: string } }>();
      expect(error.code).toBe("origin_not_allowed");
      expect(error.message).toContain(`the origin ${JSON.stringify(origin)} may not send`);
      expect(error.message).toContain("CORS_ORIGINS");
      for (const [method, path] of [
        ["POST", "/dead-letters/e:1/replay"],
        ["DELETE", "/dead-letters/e:1"],
      ] as const) {
        const response = await send(open(), path, { method, headers: { Origin: origin } });
        expect(await codeOf(response)).toBe("origin_not_allowed");
      }
      expect(await calls()).toEqual({});
    },
  );

  it.each([undefined, "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"])(
    "is rejected from another origin with the Content-Type %s",
    async (type) => {
      const response = await fetchWith(open(), {
        Origin: STRANGE,
        ...(type === undefined ? {} : { "Content-Type": type }),
      });
      expect([response.status, await codeOf(response)]).toEqual([403, "origin_not_allowed"]);
      expect(await calls()).toEqual({});
    },
  );

  it("is accepted from a listed origin, from the Worker's own pages, and without an origin", async () => {
    const listed = open({ CORS_ORIGINS: LISTED });
    expect((await beacon(listed, LISTED)).status).toBe(202);
    expect((await beacon(open({ CORS_ORIGINS: "null" }), "null")).status).toBe(202);
    expect((await beacon(open(), "https://metrics.example")).status).toBe(202);
    expect((await beacon(open())).status).toBe(202);
    expect(await calls()).toEqual({ work: 4 });
    const own = { Origin: "https://metrics.example" };
    expect((await send(open(), "/dead-letters/e:1", { method: "DELETE", headers: own })).status).toBe(404);
  });

  it("gets an answer if it only reads, but without the header that lets the page see it", async () => {
    for (const method of ["GET", "HEAD"]) {
      const response = await send(open(), "/metrics", { method, headers: { Origin: STRANGE } });
      expect([response.status, response.headers.get("Access-Control-Allow-Origin")]).toEqual([200, null]);
    }
  });
});

/** Posts bytes, for which no Content-Type is made up. */
async function fetchWith(env: Env, headers: Record<string, string>): Promise<Response> {
  const body = new TextEncoder().encode(batch());
  const request = new Request("https://metrics.example/samples", { method: "POST", headers, body });
  return app.fetch(request, env, createExecutionContext());
}
