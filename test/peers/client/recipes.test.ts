/** The recipes of the client's README, each with the real framework and the packed client. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { installProject, type Project } from "./project.ts";

let servers: Project | undefined;
let next: Project | undefined;

beforeAll(async () => {
  servers = await installProject("the client in Express and Fastify", ["express", "fastify"]);
  next = await installProject("the client in Next.js", ["next", "react", "react-dom"]);
});

afterAll(() => Promise.all([servers?.remove(), next?.remove()]));

/** A collector whose server counts: `sent` has calls and errors by function. */
const COLLECTOR = `
  import { createServer } from "node:http";
  import { once } from "node:events";
  import { gunzipSync } from "node:zlib";
  import { createMetricsCollector } from "metrics-collector-client";
  const sent = {};
  const collector = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const raw = Buffer.concat(chunks);
    const { samples } = JSON.parse(request.headers["content-encoding"] ? gunzipSync(raw) : raw);
    for (const s of samples) sent[s.function] = [s.calls + (sent[s.function]?.[0] ?? 0), s.errors ?? 0];
    response.end(JSON.stringify({ accepted: samples.length, rejected: 0, reasons: [] }));
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  collector.unref();
  const url = "http://127.0.0.1:" + collector.address().port;
  const metricsCollector = createMetricsCollector({ url, service: "shop", strict: true });
  const finish = async (results) => {
    await metricsCollector.close();
    console.log(JSON.stringify([results, sent]));
    process.exit(0);
  };
`;

async function run(project: Project, source: string): Promise<unknown> {
  await project.write("recipe.mjs", COLLECTOR + source);
  const { code, output } = await project.node("recipe.mjs");
  if (code !== 0) throw new Error(output);
  return JSON.parse(output.trim().split("\n").at(-1)!);
}

it("Express: handlers answer as before, and their errors count", async () => {
  if (!servers) return;
  const source = `
    import express from "express";
    const app = express();
    app.get("/orders", metricsCollector("GET /orders", async (request, response) => { response.json([request.query.of]); }));
    app.get("/broken", metricsCollector("GET /broken", async () => { throw new Error("boom"); }));
    app.use((error, request, response, next) => { response.status(500).send(error.message); });
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    const get = async (path) => {
      const response = await fetch("http://127.0.0.1:" + server.address().port + path);
      return [response.status, await response.text()];
    };
    await finish([await get("/orders?of=ann"), await get("/broken")]);`;
  expect(await run(servers, source)).toEqual([
    [
      [200, '["ann"]'],
      [500, "boom"],
    ],
    { "GET /orders": [1, 0], "GET /broken": [1, 1] },
  ]);
});

it("Fastify: handlers answer as before, and their errors count", async () => {
  if (!servers) return;
  const source = `
    import Fastify from "fastify";
    const fastify = Fastify();
    fastify.get("/orders", metricsCollector("GET /orders", async (request) => [request.query.of]));
    fastify.get("/broken", metricsCollector("GET /broken", async () => { throw new Error("boom"); }));
    const get = async (url) => {
      const { statusCode, json } = await fastify.inject(url);
      return [statusCode, json()];
    };
    await finish([await get("/orders?of=ann"), (await get("/broken"))[0]]);`;
  expect(await run(servers, source)).toEqual([
    [[200, ["ann"]], 500],
    { "GET /orders": [1, 0], "GET /broken": [1, 1] },
  ]);
});

it("Lambda: everything is sent before the answer, so that a freeze loses nothing", async () => {
  if (!servers) return;
  const source = `
    const handler = metricsCollector("handler", async (event) => {
      if (event.fails) throw new Error("boom");
      return event.n * 2;
    });
    const main = async (event) => {
      try { return await handler(event); } finally { await metricsCollector.flush({ timeoutMs: 1_000 }); }
    };
    const results = [await main({ n: 2 }), sent.handler, await main({ fails: true }).catch(({ message }) => message)];
    console.log(JSON.stringify([results, sent]));
    // As a frozen function: nothing runs any more.
    process.kill(process.pid, "SIGKILL");`;
  await servers.write("recipe.mjs", COLLECTOR + source);
  const { output } = await servers.node("recipe.mjs");
  expect(JSON.parse(output)).toEqual([[4, [1, 0], "boom"], { handler: [2, 1] }]);
});

it("a cron script: what it called is sent before it ends by itself", async () => {
  if (!servers) return;
  const source = `
    collector.ref();
    metricsCollector("nightly", async () => 1)();
    process.on("beforeExit", () => { if (sent.nightly) console.log(JSON.stringify(sent)); });
    const wait = setInterval(() => { if (sent.nightly) { clearInterval(wait); collector.close(); collector.closeIdleConnections(); } }, 5);
    collector.unref();
    wait.unref();`;
  expect(await run(servers, source)).toEqual({ nightly: [1, 0] });
});

it("Next.js: a route handler of a production build is measured under its name", async () => {
  if (!next) return;
  const { mkdir } = await import("node:fs/promises");
  const { join } = await import("node:path");
  await mkdir(join(next.folder, "app/api/orders"), { recursive: true });
  await next.write("app/layout.js", "export default ({ children }) => <html><body>{children}</body></html>;");
  await next.write("app/page.js", "export default () => null;");
  await next.write(
    "app/api/orders/route.js",
    `
    import { createMetricsCollector } from "metrics-collector-client";
    const metricsCollector = createMetricsCollector({ url: process.env.COLLECTOR_URL, service: "shop", intervalMs: 100 });
    export const dynamic = "force-dynamic";
    export const GET = metricsCollector("GET /api/orders", async (request) => Response.json([new URL(request.url).searchParams.get("of")]));
  `,
  );
  const built = await next.node("node_modules/next/dist/bin/next", "build");
  if (built.code !== 0) throw new Error(built.output);
  const source = `
    import { spawn } from "node:child_process";
    const port = collector.address().port + (collector.address().port > 60_000 ? -1_000 : 1_000);
    const child = spawn(process.execPath, ["node_modules/next/dist/bin/next", "start", "-p", String(port), "-H", "127.0.0.1"],
      { env: { ...process.env, COLLECTOR_URL: url, NODE_ENV: "production" }, stdio: "ignore" });
    const until = async (work) => { for (;;) { const result = await work().catch(() => undefined); if (result) return result; await new Promise((resolve) => setTimeout(resolve, 100)); } };
    const answer = await until(async () => (await fetch("http://127.0.0.1:" + port + "/api/orders?of=ann")).json());
    await until(async () => sent["GET /api/orders"]);
    child.kill("SIGKILL");
    await finish(answer);`;
  expect(await run(next, source)).toEqual([["ann"], { "GET /api/orders": [1, 0] }]);
});
