import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { envWith } from "../faults.ts";
import { calls } from "../worker.ts";
import { batch, deployed, postAs, secrets, send } from "./deployed.ts";

let logged: string[] = [];
beforeEach(() => {
  logged = [];
  for (const method of ["log", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line: string) => void logged.push(line));
  }
});
afterEach(() => void vi.restoreAllMocks());

const RANDOM = "q83vEjRWeJCrze8SNFZ4kA==";
const status = async (tokens: string, token: string, service = "shop") =>
  (await postAs(deployed({ INGEST_TOKENS: tokens }), token, batch(service))).status;

describe("an entry of a secret that is not certainly a token", () => {
  it.each([
    ["shop=", "shop="],
    ["shop==", "shop=="],
    // These look like padded base64, but not like random base64.
    ["billing=", "billing="],
    ["payment-gateway-europe-west=", "payment-gateway-europe-west="],
    ["PaymentGatewayEuropeEast==", "PaymentGatewayEuropeEast=="],
    // Valid base64 of 20 bytes, but without capitals, as services are named.
    ["payment-gateway-euro-public=", "payment-gateway-euro-public="],
    // Its last letter has bits that padding requires to be zero.
    ["PaymentGatewayEuropeWestern=", "PaymentGatewayEuropeWestern="],
    // Valid base64, but too short to be random.
    ["ShopPac=", "ShopPac="],
    ["=T", "=T"],
    ["=T", "T"],
    ["==", "=="],
    ["=", "="],
    ["shop==T", "=T"],
    ["shop==T", "T"],
    ["shop=a b", "a"],
  ])("permits nothing: the entry %s to the token %s", async (entry, token) => {
    expect(await status(entry, token)).toBe(503);
    expect(await status(`${entry},right`, token)).toBe(401);
    expect(await status(`${entry},right`, "right")).toBe(202);
    expect(await calls()).toEqual({ work: 1 });
  });

  it("is logged once, by its position and without its text", async () => {
    const env = deployed({ ...secrets, INGEST_TOKENS: "s3cret-one, ,checkout= ,=s3cret-two" });
    await postAs(env, "s3cret-one");
    await postAs(env, "s3cret-one");
    expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        event: "token_dropped",
        problem: "Entry 3 of INGEST_TOKENS has a service but no token. It is ignored.",
      },
      {
        event: "token_dropped",
        problem: "Entry 4 of INGEST_TOKENS has no service before the =. It is ignored.",
      },
    ]);
    expect(logged.join("")).not.toContain("s3cret");
  });

  it("is named in the answer if there is no other entry", async () => {
    const response = await postAs(deployed({ INGEST_TOKENS: "shop=" }), "shop=");
    expect(await response.json()).toMatchObject({
      error: {
        code: "no_tokens",
        message: expect.stringMatching(
          /^No token has the right "ingest".* Entry 1 of INGEST_TOKENS has a service but no token/,
        ) as string,
      },
    });
  });

  it("is one that binds a token of READ_TOKENS to a service", async () => {
    const env = deployed({ READ_TOKENS: "shop=bound,free" });
    expect((await send(env, "/metrics", { token: "bound" })).status).toBe(401);
    expect((await send(env, "/metrics", { token: "free" })).status).toBe(200);
  });
});

describe("a token", () => {
  it.each([RANDOM, "3q2-7wAAAAC_yv66vgAAAAECAwQFBgcICQoLDA0ODxA=", "a-b_c", "x"])(
    "may be any text, also padded base64: %s",
    async (token) => {
      expect(await status(token, token)).toBe(202);
      expect(await status(`shop=${token}`, token)).toBe(202);
      expect(await status(`shop=${token}`, token, "bank")).toBe(403);
      expect(await status(`shop=${token}`, `shop=${token}`)).toBe(401);
    },
  );

  it.each(["shop=T,bank=T", "bank=T,other=U,shop=T"])(
    "may be bound to several services: %s",
    async (tokens) => {
      expect(await status(tokens, "T", "shop")).toBe(202);
      expect(await status(tokens, "T", "bank")).toBe(202);
      expect(await status(tokens, "T", "third")).toBe(403);
    },
  );

  it.each(["shop=T,T", "T,shop=T"])(
    "may post for any service if one of its entries has none: %s",
    async (tokens) => {
      expect(await status(tokens, "T", "bank")).toBe(202);
    },
  );

  it("is bound to the normal form of a service's name", async () => {
    expect(await status(" shop = T ", "T", "shop")).toBe(202);
    expect(await status("cafe\u0301=T", "T", " caf\u00e9 ")).toBe(202);
    expect(await status("caf\u00e9=T", "T", "cafe\u0301")).toBe(202);
    expect(await status("cafe\u0301=T", "T", "cafe")).toBe(403);
  });
});

describe("a local server", () => {
  const local = (some: Partial<Env>) => envWith({ OPEN_WITHOUT_TOKENS: "true", ...some });
  const statuses = async (env: Env) => [
    (await postAs(env, undefined)).status,
    (await send(env, "/metrics")).status,
    (await send(env, "/dead-letters/e:1", { method: "DELETE" })).status,
  ];

  it("is open if it has no tokens", async () => {
    expect(await statuses(local({ INGEST_TOKENS: "", READ_TOKENS: " , " }))).toEqual([202, 200, 404]);
  });

  it("is closed as a whole if it has a token of any right", async () => {
    expect(await statuses(local({ INGEST_TOKENS: "T", READ_TOKENS: "R" }))).toEqual([401, 401, 503]);
    expect(await statuses(local({ INGEST_TOKENS: "T" }))).toEqual([401, 503, 503]);
    expect(await statuses(local({ ADMIN_TOKENS: "A" }))).toEqual([503, 401, 401]);
  });

  it("is closed even if its only entry is ignored", async () => {
    expect(await statuses(local({ INGEST_TOKENS: "shop=" }))).toEqual([503, 503, 503]);
  });
});
