import { describe, expect, it, vi } from "vitest";
import { envWith } from "../faults.ts";
import { calls } from "../worker.ts";
import { batch, codeOf, deployed, postAs, secrets, send } from "./deployed.ts";

describe("a deployed Worker", () => {
  it.each([
    ["POST", "/samples", "INGEST_TOKENS"],
    ["GET", "/metrics", "READ_TOKENS"],
    ["GET", "/health", "READ_TOKENS"],
    ["GET", "/nothing", "READ_TOKENS"],
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

  it.each([
    ["GET", "/api/v1/query?query=1"],
    ["POST", "/api/v1/query?query=1"],
    ["POST", "/api/v1/labels"],
    ["GET", "/api/v1/rules"],
    ["GET", "/federate"],
    ["GET", "/-/ready"],
  ])("answers %s %s with the right to read, and errors in Prometheus' form", async (method, path) => {
    expect((await send(deployed(), path, { method, token: "reader" })).status).toBe(200);
    const refused = await send(deployed(), path, { method, token: "writer-one" });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      {
        status: "error",
        errorType: "forbidden",
        error: "This token may not read. Use a token of READ_TOKENS or ADMIN_TOKENS.",
      },
    ]);
    const unknown = await send(deployed(), path, { method });
    expect([unknown.status, unknown.headers.get("WWW-Authenticate")]).toEqual([
      401,
      expect.stringContaining("Bearer"),
    ]);
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

  it.each(["reader", "admin"])("tells the token %s that it may not post samples", async (token) => {
    const response = await postAs(deployed(), token);
    expect(response.status).toBe(403);
    expect(response.headers.get("WWW-Authenticate")).toContain('error="insufficient_scope"');
    const { error } = await response.json<{ error: { code: string; message: string } }>();
    expect(error).toEqual({
      code: "forbidden",
      message: "This token may not post samples. Use a token of INGEST_TOKENS.",
    });
    expect(await calls()).toEqual({});
  });

  it.each(["shop=shop-writer", "writer", "writer-one,", "", undefined])(
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
    expect(await status("/metrics", "writer-one")).toBe(403);
    expect(await status("/metrics", "nobody")).toBe(401);
    expect(await status("/dead-letters/e:1", "reader", "DELETE")).toBe(403);
    expect(await status("/dead-letters/e:1", "nobody", "DELETE")).toBe(401);
    expect(await status("/nothing", "writer-one")).toBe(403);
    expect(await status("/nothing", "nobody")).toBe(401);
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

  it("reads no more than a beacon's size before it knows the token", async () => {
    const beacon = { "Content-Type": "text/plain" };
    const padded = (size: number) => batch("shop", { token: "writer-one" }).padEnd(size);
    expect((await postAs(deployed(), undefined, padded(65_536), beacon)).status).toBe(202);
    const tooLarge = await postAs(deployed(), undefined, padded(65_537), beacon);
    expect(tooLarge.status).toBe(413);
    const { error } = await tooLarge.json<{ error: { message: string } }>();
    expect(error.message).toMatch(/more than 65536 bytes .* Send the token in the header Authorization/);
    expect((await postAs(deployed(), "writer-one", padded(65_537), beacon)).status).toBe(202);
    const open = envWith({ OPEN_WITHOUT_TOKENS: "true" });
    expect((await postAs(open, undefined, padded(65_537), beacon)).status).toBe(202);
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

  it("applies to reading as well", async () => {
    const env = deployed({ ...secrets, READ_RATE: limiterOf(2) });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await send(env, "/services", { token: "reader" })).status);
    expect(statuses).toEqual([200, 200, 429]);
  });
});

describe("requests with unknown tokens", () => {
  const from = (address: string) => ({ "CF-Connecting-IP": address });

  it.each([
    ["GET", "/metrics", "READ_RATE"],
    ["GET", "/nothing", "READ_RATE"],
    ["DELETE", "/dead-letters/e:1", "READ_RATE"],
    ["POST", "/samples", "INGEST_RATE"],
  ])("are limited by their address: %s %s", async (method, path, rate) => {
    const env = deployed({ ...secrets, [rate]: limiterOf(2) });
    const as = async (token: string | undefined, address: string) => {
      const sent = { method, headers: from(address), ...(token === undefined ? {} : { token }) };
      return (await send(env, path, method === "POST" ? { ...sent, body: batch() } : sent)).status;
    };
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push(await as(`guess-${i}`, "192.0.2.1"));
    expect(statuses).toEqual([401, 401, 429]);
    expect(await as("guess", "192.0.2.2")).toBe(401);
    expect(await as(undefined, "192.0.2.1")).toBe(401);
    expect([401, 429]).not.toContain(await as(method === "POST" ? "writer-one" : "admin", "192.0.2.1"));
  });

  it("are limited if the token stands in the body", async () => {
    const env = deployed({ ...secrets, INGEST_RATE: limiterOf(1) });
    const beacon = { "Content-Type": "text/plain", ...from("192.0.2.1") };
    const guess = () => postAs(env, undefined, batch("shop", { token: "guess" }), beacon);
    expect([(await guess()).status, (await guess()).status]).toEqual([401, 429]);
  });

  it("are logged once a minute, with their number and without the token", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    const logged = vi.spyOn(console, "log").mockImplementation(() => {});
    const lines = () =>
      logged.mock.calls.map(([line]) => String(line)).filter((line) => line.includes("unknown_token"));
    const guess = (token: string) => send(deployed(), "/metrics", { token, headers: from("192.0.2.1") });
    try {
      for (const token of ["guess-1", "guess-2", "guess-3"]) await guess(token);
      expect(lines()).toHaveLength(1);
      expect(lines()[0]).not.toContain("guess");
      vi.setSystemTime(Date.now() + 60_000);
      await guess("guess-4");
      expect(JSON.parse(lines()[1]!)).toEqual({
        event: "unknown_token",
        right: "read",
        address: "192.0.2.1",
        requests: 3,
      });
    } finally {
      logged.mockRestore();
      vi.useRealTimers();
    }
  });
});

/** Counts by key, as the platform does, and never forgets. */
function limiterOf(limit: number): RateLimit {
  const counts = new Map<string, number>();
  return {
    limit: async ({ key }) => {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return { success: count <= limit };
    },
  };
}

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

  it("tells the server's time, also if it is an error, and other origins may read it", async () => {
    const time = Date.UTC(2030, 0, 2, 3, 4, 5);
    vi.useFakeTimers({ toFake: ["Date"], now: time });
    try {
      const headers = { Origin: "https://shop.example" };
      const env = (more: Partial<Env> = {}) =>
        deployed({ ...secrets, CORS_ORIGINS: "https://shop.example", ...more });
      const ask = (path: string, options: object) => send(env(), path, { headers, ...options });
      const answers = await Promise.all([
        ask("/metrics", { token: "reader" }),
        ask("/metrics?format=prometheus", { token: "reader" }),
        ask("/metrics?from=nonsense", { token: "reader" }),
        ask("/nothing", { token: "reader" }),
        ask("/metrics", { token: "nobody" }),
        ask("/metrics", { token: "writer-one" }),
        ask("/metrics", { token: "admin", method: "DELETE" }),
        ask("/", { method: "POST" }),
        ask("/openapi.json", {}),
        postAs(env(), "writer-one", batch(), headers),
        postAs(env(), "writer-one", "{", headers),
        send(env({ DB: undefined as never }), "/metrics", { token: "reader", headers }),
        send(env({ READ_TOKENS: "", ADMIN_TOKENS: "" }), "/metrics", { headers }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([
        200, 200, 400, 404, 401, 403, 405, 405, 200, 202, 400, 500, 503,
      ]);
      for (const answer of answers) {
        expect(answer.headers.get("Date")).toBe("Wed, 02 Jan 2030 03:04:05 GMT");
        expect(answer.headers.get("Access-Control-Expose-Headers")).toMatch(/\bDate\b/);
      }
      const strange = await send(env(), "/metrics", {
        method: "DELETE",
        headers: { Origin: "https://evil.example" },
      });
      const preflight = await ask("/metrics", { method: "OPTIONS" });
      expect([strange.status, preflight.status]).toEqual([403, 204]);
      for (const answer of [strange, preflight]) expect(answer.headers.get("Date")).not.toBeNull();
    } finally {
      vi.useRealTimers();
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
