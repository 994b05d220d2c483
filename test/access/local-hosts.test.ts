import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { envWith } from "../faults.ts";

const open = (more: Partial<Env> = {}) =>
  envWith({ OPEN_WITHOUT_TOKENS: "true", ALLOWED_HOSTS: "", ...more });

async function ask(
  host: string,
  env = open(),
  { path = "/metrics", header = host, ...init }: { path?: string; header?: string; method?: string } = {},
) {
  const request = new Request(`http://${host}${path}`, { ...init, headers: { Host: header } });
  return app.fetch(request, env, createExecutionContext());
}

describe("a local server that is open without tokens", () => {
  it.each([
    "localhost",
    "localhost:8787",
    "LOCALHOST.",
    "shop.localhost:8787",
    "127.0.0.1:8787",
    "127.255.0.9",
    "[::1]:8787",
  ])("answers under %s", async (host) => {
    expect((await ask(host)).status).toBe(200);
  });

  it.each([
    "evil.example",
    "evil.example:8787",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1.evil.example",
    "192.168.1.5:8787",
    "10.127.0.0",
    "[::2]",
  ])("does not answer under %s, whose page could be rebound to this address", async (host) => {
    for (const [method, path] of [
      ["GET", "/metrics"],
      ["GET", "/health"],
      ["GET", "/openapi.json"],
      ["GET", "/"],
      ["POST", "/samples"],
      ["DELETE", "/dead-letters/e:1"],
    ] as const) {
      const response = await ask(host, open(), { path, method });
      expect([method, path, response.status]).toEqual([method, path, 403]);
      const { error } = await response.json<{ error: { code: string; message: string } }>();
      expect(error.code).toBe("host_not_allowed");
      expect(error.message).toContain(JSON.stringify(host));
      expect(error.message).toContain("ALLOWED_HOSTS");
    }
  });

  it("does not answer if only one of the header Host and the URL names this machine", async () => {
    expect((await ask("localhost:8787", open(), { header: "evil.example" })).status).toBe(403);
    expect((await ask("evil.example", open(), { header: "localhost:8787" })).status).toBe(403);
  });

  it("answers under the names in ALLOWED_HOSTS, whatever their case and port", async () => {
    const env = open({ ALLOWED_HOSTS: "host.docker.internal, Metrics.LAN:1" });
    expect((await ask("host.docker.internal:8787", env)).status).toBe(200);
    expect((await ask("metrics.lan:8787", env)).status).toBe(200);
    expect((await ask("docker.internal", env)).status).toBe(403);
    expect((await ask("evil.example", open({ ALLOWED_HOSTS: " , " }))).status).toBe(403);
  });
});

it("a server with tokens answers under every name", async () => {
  const env = open({ READ_TOKENS: "reader" });
  expect((await ask("metrics.example", env)).status).toBe(401);
  expect((await ask("evil.example", env)).status).toBe(401);
});
