/** The client in a real browser: what was called reaches the collector though the page is left at once. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { findChromium, launchChromium } from "../../scripts/browser.ts";
import { FakeServer } from "./fake-server.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const chromium = await findChromium();
if (!chromium) {
  const reason = "there is no Chromium here; CHROME_PATH may name one.";
  if (process.env["CI"]) throw new Error(`The client's test in a browser must run in CI, but ${reason}`);
  process.stderr.write(`\nSKIPPED: the client in a browser, since ${reason}\n`);
}

const PAGE = `<!doctype html><title>Shop</title><script type="module">
  import { createMetricsCollector } from "/client.js";
  const metricsCollector = createMetricsCollector({
    url: location.origin, service: "page", token: "secret", intervalMs: 3_600_000,
  });
  const fn = metricsCollector(function add(a, b) { return a + b; });
  for (let i = 0; i < 1_000; i++) fn(i, 1);
  for (let n = 0; n < 20; n++) metricsCollector({ name: "function" + n }, () => n)();
  globalThis.metricsCollector = metricsCollector;
  document.title = "Ready";
</script>`;

describe.skipIf(!chromium)("in Chromium", () => {
  let browser: Browser;
  let site: Server;
  let url: string;
  let server: FakeServer;

  beforeAll(async () => {
    const client = fileURLToPath(new URL("../../client/index.ts", import.meta.url));
    const bundle = { bundle: true, format: "esm", target: "es2022", write: false } as const;
    const { outputFiles } = await build({ entryPoints: [client], ...bundle });
    site = createServer((request, response) => {
      void (async () => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        if (request.method !== "POST") {
          const isClient = request.url === "/client.js";
          response.setHeader("Content-Type", isClient ? "text/javascript" : "text/html");
          response.end(isClient ? outputFiles[0]!.text : PAGE);
          return;
        }
        const headers = Object.entries(request.headers).map(
          ([name, value]) => [name, String(value)] as const,
        );
        const init = { method: "POST", headers: headers as [string, string][], body: Buffer.concat(chunks) };
        const answer = await server.fetcher.fetch(`http://site${request.url}`, init);
        response.writeHead(answer.status).end(await answer.text());
      })();
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    browser = await launchChromium(chromium!);
  });

  beforeEach(() => {
    server = new FakeServer();
  });

  afterAll(async () => {
    await browser?.close();
    site?.closeAllConnections();
    site?.close();
  });

  async function open() {
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForFunction(() => document.title === "Ready");
    expect(server.requests).toEqual([]);
    return page;
  }

  it.each(["closed", "left for another"])("a page that is %s has sent what was called on it", async (how) => {
    const page = await open();
    if (how === "closed") await page.close({ runBeforeUnload: true });
    else await page.goto("about:blank");
    await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 10_000 });
    expect(server.calls).toMatchObject({ add: 1_000, function19: 1 });
    const [{ headers, json }] = server.requests as [(typeof server.requests)[0]];
    expect(headers.get("Authorization")).toBe("Bearer secret");
    expect(headers.get("Content-Encoding")).toBeNull();
    expect(JSON.parse(json)).toMatchObject({
      service: "page",
      idempotencyKey: headers.get("Idempotency-Key"),
    });
    if (how !== "closed") await page.close();
  });

  it("a flush is compressed, and is acknowledged", async () => {
    const page = await open();
    const done = await page.evaluate(async () => {
      const { metricsCollector } = globalThis as unknown as {
        metricsCollector: { flush(): Promise<boolean>; stats(): { acknowledged: number } };
      };
      return [await metricsCollector.flush(), metricsCollector.stats().acknowledged];
    });
    expect(done).toEqual([true, 1_020]);
    expect(server.requests[0]!.headers.get("Content-Encoding")).toBe("gzip");
    await page.close();
  });
});
