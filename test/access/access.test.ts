import { describe, expect, it } from "vitest";
import { calls } from "../worker.ts";
import { batch, codeOf, deployed, postAs, secrets, send } from "./deployed.ts";

describe("a deployed Worker", () => {
  it.each([
    ["POST", "/samples", "INGEST_TOKENS"],
    ["GET", "/metrics", "READ_TOKENS"],
    ["GET", "/health", "READ_TOKENS"],
    ["GET", "/", "READ_TOKENS"],
    ["DELETE", "/dead-letters/e:1", "ADMIN_TOKENS"],
  ])("without secrets answers %s %s with 503 and names the secret %s", async (method, path, secret) => {
    const body = method === "POST" ? { body: batch() } : {};
    const response = await send(deployed({}), path, { method, token: "anything", ...body });
    expect(response.status).toBe(503);
    const { error } = await response.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe("no_tokens");
    expect(error.message).toContain(`npx wrangler secret put ${secret}`);
    expect(await calls()).toEqual({});
  });

  it("is closed if a secret is empty", async () => {
    expect((await postAs(deployed({ INGEST_TOKENS: " , " }), "")).status).toBe(503);
    expect((await postAs(deployed(), "")).status).toBe(401);
  });

  it.each(["writer-one", "writer-two", "q83vEjRWeJCrze8SNFZ4kA=="])(
    "accepts samples with a token of the list: %s",
    async (token) => {
      expect((await postAs(deployed(), token)).status).toBe(202);
    },
  );

  it.each(["reader", "admin", "shop=shop-writer", "writer", "writer-one,", "", undefined])(
    "accepts no samples with another token: %s",
    async (token) => {
      const response = await postAs(deployed(), token);
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toContain("Bearer");
      expect(await codeOf(response)).toBe("unauthorised");
      expect(await calls()).toEqual({});
    },
  );

  it.each(["bearer writer-one", "Bearer   writer-one", "BEARER writer-one "])(
    "accepts the header Authorization: %s",
    async (authorization) => {
      const headers = { Authorization: authorization };
      expect((await postAs(deployed(), undefined, batch(), headers)).status).toBe(202);
    },
  );

  it('lets a token do only what its right permits; the right "admin" includes reading', async () => {
    const status = async (path: string, token: string, method = "GET") =>
      (await send(deployed(), path, { token, method })).status;
    expect(await status("/metrics", "reader")).toBe(200);
    expect(await status("/metrics", "admin")).toBe(200);
    expect(await status("/metrics", "writer-one")).toBe(401);
    expect(await status("/dead-letters/e:1", "reader", "DELETE")).toBe(401);
    expect(await status("/nothing", "writer-one")).toBe(401);
    expect(await status("/nothing", "reader")).toBe(404);
  });

  it("accepts samples only of the service that a token is bound to", async () => {
    expect((await postAs(deployed(), "shop-writer", batch("shop"))).status).toBe(202);
    const response = await postAs(deployed(), "shop-writer", batch("bank"));
    expect(response.status).toBe(403);
    expect(await codeOf(response)).toBe("wrong_service");
  });

  it("reads a beacon's token from its body", async () => {
    const beacon = { "Content-Type": "text/plain;charset=UTF-8" };
    const as = (token?: string) => postAs(deployed(), undefined, batch("shop", { token }), beacon);
    expect((await as("writer-one")).status).toBe(202);
    expect((await as("wrong")).status).toBe(401);
    expect((await as()).status).toBe(401);
  });

  it("reads the token of a text/plain request from its header, if it has one", async () => {
    const type = { "Content-Type": "text/plain" };
    expect((await postAs(deployed(), "writer-one", batch(), type)).status).toBe(202);
    expect((await postAs(deployed(), "wrong", batch("shop", { token: "writer-one" }), type)).status).toBe(
      401,
    );
  });

  it("recognises a batch that is sent again with another token", async () => {
    const key = { "Idempotency-Key": "k" };
    expect(await (await postAs(deployed(), "writer-one", batch(), key)).json()).toMatchObject({
      duplicate: false,
    });
    const rotated = deployed({ ...secrets, INGEST_TOKENS: "writer-three" });
    expect(await (await postAs(rotated, "writer-three", batch(), key)).json()).toMatchObject({
      duplicate: true,
    });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("recognises a beacon that is sent again with another token in its body", async () => {
    const type = { "Content-Type": "text/plain" };
    for (const [token, duplicate] of [
      ["writer-one", false],
      ["writer-two", true],
    ] as const) {
      const body = batch("shop", { token, idempotencyKey: "k" });
      const answer = await postAs(deployed(), undefined, body, type);
      expect(await answer.json()).toMatchObject({ duplicate });
    }
    expect(await calls()).toEqual({ work: 1 });
  });
});

describe("the rate limit of a token", () => {
  it("applies to each token separately, and Retry-After says when to send again", async () => {
    const seen: string[] = [];
    const limiter: RateLimit = {
      limit: async ({ key }: { key: string }) => {
        seen.push(key);
        return { success: seen.filter((other) => other === key).length <= 2 };
      },
    };
    const env = deployed({ ...secrets, INGEST_RATE: limiter });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await postAs(env, "writer-one"));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 429]);
    expect(answers[2]!.headers.get("Retry-After")).toBe("10");
    expect((await postAs(env, "writer-two")).status).toBe(202);
    expect(seen.join(" ")).not.toContain("writer");
  });
});

describe("every answer", () => {
  it("has security headers, a request id, and Vary: Origin, also if it is an error", async () => {
    const answers = [
      send(deployed(), "/metrics", { token: "reader" }),
      send(deployed(), "/nothing", { token: "reader" }),
      send(deployed(), "/metrics", { token: "admin", method: "DELETE" }),
      send(deployed(), "/metrics", { token: "nobody" }),
      postAs(deployed(), "writer-one"),
      postAs(deployed(), "writer-one", "{"),
    ];
    for (const response of await Promise.all(answers)) {
      expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(response.headers.get("X-Frame-Options")).toBe("SAMEORIGIN");
      expect(response.headers.get("Strict-Transport-Security")).toContain("max-age=");
      expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(response.headers.get("Vary")).toMatch(/\bOrigin\b/);
    }
  });

  it("reveals nothing of the inside if something breaks", async () => {
    const env = deployed({ ...secrets, DB: undefined as never });
    const response = await send(env, "/metrics", { token: "reader" });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).toContain(response.headers.get("X-Request-Id")!);
    expect(text).not.toMatch(/TypeError|at \w+ \(|undefined|reader|\.ts/);
  });
});
