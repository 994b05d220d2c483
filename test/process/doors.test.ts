import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readLocalVars } from "../../scripts/local-vars.ts";
import { Server, type ServerOptions } from "../../scripts/server.ts";

const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 1 }] });

/** The server of the tests around. */
function serving(options: Omit<ServerOptions, "stateFolder">): () => Server {
  let folder: string;
  let server: Server | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "metrics-collector-doors-"));
    server = await Server.start({ stateFolder: folder, ...options });
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 30_000);
  return () => server!;
}

describe("npm start", () => {
  const server = serving({});

  const beacon = async (origin?: string) => {
    const headers = { "Content-Type": "text/plain", ...(origin === undefined ? {} : { Origin: origin }) };
    return (await fetch(`${server().url}/samples`, { method: "POST", headers, body })).status;
  };

  it("says that it is open, and is", async () => {
    expect(server().output).toContain("Open without tokens, since this is local");
    expect(await beacon()).toBe(202);
    expect((await fetch(`${server().url}/metrics`)).status).toBe(200);
  });

  it("takes what its own page sends, and nothing of other pages", async () => {
    expect(await beacon(server().url)).toBe(202);
    expect(await beacon("https://evil.example")).toBe(403);
    expect(await beacon(server().url.replace("127.0.0.1", "localhost"))).toBe(403);
    expect(await beacon("null")).toBe(403);
  });

  it("answers under the names of this machine only", async () => {
    const { port } = new URL(server().url);
    const status = (host: string, path = "/metrics") =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port, path, headers: { Host: host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.on("error", reject).end();
      });
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status(`127.0.0.1:${port}`)).toBe(200);
    expect(await status(`evil.example:${port}`)).toBe(403);
    expect(await status("evil.example", "/dead-letters")).toBe(403);
  });

  it("tells a sender that posts to the page where samples go", async () => {
    const response = await fetch(server().url, { method: "POST", body });
    expect([response.status, response.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
    expect(await response.json()).toEqual({
      error: {
        code: "method_not_allowed",
        message: "/ takes GET, HEAD, not POST. Post samples to /samples.",
      },
    });
    expect((await fetch(server().url, { method: "HEAD" })).status).toBe(200);
    expect(await (await fetch(server().url)).text()).toContain("<!doctype html>");
  });

  it("tells its time once", async () => {
    const { headers } = await fetch(`${server().url}/metrics`);
    expect(Math.abs(Date.parse(headers.get("Date")!) - Date.now())).toBeLessThan(60_000);
  });

  it.each(["/", "/favicon.svg", "/index.html", "/openapi.json", "/nothing"])(
    "sends the security headers with %s, be it a file, a redirect, an answer or an error",
    async (path) => {
      const response = await fetch(server().url + path, { redirect: "manual" });
      expect(response.status).toBe({ "/index.html": 307, "/nothing": 404 }[path] ?? 200);
      const { headers } = response;
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
      expect(headers.get("X-Frame-Options")).toMatch(/^(DENY|SAMEORIGIN)$/);
      expect(headers.get("Referrer-Policy")).toBe("no-referrer");
      expect(headers.get("Strict-Transport-Security")).toContain("max-age=");
      expect(headers.get("Cross-Origin-Resource-Policy")).toBe("same-origin");
    },
  );
});

describe("npm start with tokens", () => {
  const server = serving({ vars: { INGEST_TOKENS: "writer", READ_TOKENS: "reader" }, token: "reader" });

  it("says that it is closed, and is", async () => {
    expect(server().output).not.toContain("Open without tokens");
    expect(server().output).toContain("Closed: requests need a token of INGEST_TOKENS, READ_TOKENS.");
    const status = async (method: string, path: string, token?: string) => {
      const headers = {
        "Content-Type": "application/json",
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      };
      const init = { method, headers, ...(method === "POST" ? { body } : {}) };
      return (await fetch(server().url + path, init)).status;
    };
    expect(await status("POST", "/samples")).toBe(401);
    expect(await status("POST", "/samples", "writer")).toBe(202);
    expect(await status("GET", "/metrics")).toBe(401);
    expect(await status("GET", "/metrics", "reader")).toBe(200);
    expect(await status("DELETE", "/dead-letters/e:1")).toBe(503);
  });
});

describe("the settings of a local server", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "metrics-collector-vars-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);

  it("are those of .dev.vars, and of --var before it", async () => {
    expect(readLocalVars([], folder)).toEqual({});
    await write(".env", "READ_TOKENS=from-env");
    expect(readLocalVars([], folder)).toEqual({ READ_TOKENS: "from-env" });
    await write(".dev.vars", 'INGEST_TOKENS="a,shop=b"\nMAX_ITEMS=500\n');
    expect(readLocalVars([], folder)).toEqual({ INGEST_TOKENS: "a,shop=b", MAX_ITEMS: "500" });
    const args = [
      "--port",
      "1",
      "--var",
      "MAX_ITEMS:7",
      "READ_TOKENS:x:y",
      "--ip",
      "::1",
      "--var=ADMIN_TOKENS:z",
    ];
    expect(readLocalVars(args, folder)).toEqual({
      INGEST_TOKENS: "a,shop=b",
      MAX_ITEMS: "7",
      READ_TOKENS: "x:y",
      ADMIN_TOKENS: "z",
    });
  });

  it("are those of the environment that is named, or of the file that is", async () => {
    await write(".dev.vars", "MAX_ITEMS=1");
    await write(".dev.vars.stage", "MAX_ITEMS=2");
    await write("own.env", "MAX_ITEMS=3");
    expect(readLocalVars(["--env", "stage"], folder)).toEqual({ MAX_ITEMS: "2" });
    expect(readLocalVars(["--env=other"], folder)).toEqual({ MAX_ITEMS: "1" });
    expect(readLocalVars(["--env-file", "own.env"], folder)).toEqual({ MAX_ITEMS: "3" });
    expect(readLocalVars(["--env-file", join(folder, "none.env")], folder)).toEqual({});
  });
});
