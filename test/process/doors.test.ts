import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readLocalVars } from "../../scripts/local-vars.ts";
import { freePort, Server, type ServerOptions } from "../../scripts/server.ts";
import { runScript } from "./run-script.ts";

const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 1 }] });

/** Starts a server before the tests of a `describe` and stops it after them. */
function serving(options: Omit<ServerOptions, "stateFolder">): () => Server {
  let server: Server | undefined;
  beforeAll(async () => {
    const stateFolder = await mkdtemp(join(tmpdir(), "metrics-collector-doors-"));
    server = await Server.start({ stateFolder, ...options });
  });
  afterAll(async () => {
    await server?.stop();
    if (server) await rm(server.stateFolder, { recursive: true, force: true });
  });
  return () => server!;
}

describe("npm start", () => {
  const server = serving({});

  const beacon = async (origin?: string) => {
    const headers = { "Content-Type": "text/plain", ...(origin === undefined ? {} : { Origin: origin }) };
    return (await fetch(`${server().url}/samples`, { method: "POST", headers, body })).status;
  };

  it("prints the page's address once it is ready", async () => {
    await vi.waitFor(() => expect(server().output).toContain("The page: "));
    const [before, after] = server().output.split("The page: ");
    expect(after!.split("\n")[0]).toBe(server().url);
    expect(before).toContain("after a change in .dev.vars, stop the server");
  });

  it("is not started a second time on the same state folder", async () => {
    const args = ["--port", String(await freePort()), "--persist-to", server().stateFolder];
    const { code, stderr } = await runScript("start.ts", args);
    expect(stderr).toContain(
      `Another server (process ${server().pid}) uses the data in ${server().stateFolder}.`,
    );
    expect(code).toBe(1);
    expect(await beacon()).toBe(202);
  });

  it("does not start on another port if its port is in use", async () => {
    const { port } = new URL(server().url);
    const args = ["--port", port, "--ip", "127.0.0.1", "--persist-to", join(server().stateFolder, "other")];
    const { code, stderr } = await runScript("start.ts", args);
    expect(stderr).toBe(
      `Port ${port} of 127.0.0.1 cannot be used: Another program uses it. ` +
        "Stop that program, or choose another port: npm start -- --port PORT\n",
    );
    expect(code).toBe(1);
  });

  it("is the server that the demo uses and leaves running", async () => {
    const { code, stdout } = await runScript("demo.ts", [], { METRICS_URL: server().url });
    expect(stdout).toMatch(/^successful_function +5 +\d+\.\d ms +0$/m);
    expect(stdout).toMatch(/^error_function +3 +\d+\.\d ms +3$/m);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(
      `The server keeps these numbers. To see the page, open ${server().url}`,
    );
    expect(code).toBe(0);
  });

  it("says that it is open, and is", async () => {
    const open = "Open without tokens, because this server is local";
    await vi.waitFor(() => expect(server().output).toContain(open), { timeout: 60_000 });
    expect(await beacon()).toBe(202);
    expect((await fetch(`${server().url}/metrics`)).status).toBe(200);
  });

  it("accepts requests of its own page and rejects those of other pages", async () => {
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
    "sends the security headers with %s, whether a file, a redirect, an answer or an error",
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
    const closed = "Closed: requests need a token of INGEST_TOKENS, READ_TOKENS.";
    await vi.waitFor(() => expect(server().output).toContain(closed), { timeout: 60_000 });
    expect(server().output).not.toContain("Open without tokens");
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

  it("refuses the demo without tokens, and the demo says which tokens it needs", async () => {
    const { code, stderr } = await runScript("demo.ts", [], { METRICS_URL: server().url });
    expect(stderr).toMatch(new RegExp(`^The server at ${server().url} refuses the demo: .+`));
    expect(stderr).toContain("Set METRICS_INGEST_TOKEN to a token in its INGEST_TOKENS");
    expect(code).toBe(1);
  });

  it("accepts the demo with tokens", async () => {
    const tokens = { METRICS_INGEST_TOKEN: "writer", METRICS_READ_TOKEN: "reader" };
    const { code, stdout } = await runScript("demo.ts", [], { METRICS_URL: server().url, ...tokens });
    expect(stdout).toMatch(/^error_function +3 +\d+\.\d ms +3$/m);
    expect(code).toBe(0);
  });
});

describe("npm run demo without a server", () => {
  it("starts one, shows the numbers, and ends with how to keep them", async () => {
    const METRICS_URL = `http://127.0.0.1:${await freePort()}`;
    const { code, stdout } = await runScript("demo.ts", [], { METRICS_URL });
    expect(stdout).toContain(`No server answers at ${METRICS_URL}. Starting one for this demo.`);
    expect(stdout).toMatch(/^error_function +3 +\d+\.\d ms +3$/m);
    const end = stdout.slice(stdout.indexOf("The demo has stopped its server"));
    expect(end.split("\n").filter((line) => line.startsWith("  "))).toEqual([
      "  npm start",
      "  npm run demo",
    ]);
    expect(code).toBe(0);
  });

  it("does not start if another program has the address", async () => {
    const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const METRICS_URL = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
      const { code, stderr } = await runScript("demo.ts", [], { METRICS_URL });
      expect(stderr).toContain(`The program that answers at ${METRICS_URL} is not a MetricsCollector.`);
      expect(code).toBe(1);
    } finally {
      other.close();
    }
  });
});

describe("the settings of a local server", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "metrics-collector-vars-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const write = (name: string, text: string) => writeFile(join(folder, name), text);

  it("come from .dev.vars, and --var overrides them", async () => {
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

  it("come from the file of the named environment, or from the named file", async () => {
    await write(".dev.vars", "MAX_ITEMS=1");
    await write(".dev.vars.stage", "MAX_ITEMS=2");
    await write("own.env", "MAX_ITEMS=3");
    expect(readLocalVars(["--env", "stage"], folder)).toEqual({ MAX_ITEMS: "2" });
    expect(readLocalVars(["--env=other"], folder)).toEqual({ MAX_ITEMS: "1" });
    expect(readLocalVars(["--env-file", "own.env"], folder)).toEqual({ MAX_ITEMS: "3" });
    expect(readLocalVars(["--env-file", join(folder, "none.env")], folder)).toEqual({});
  });
});
