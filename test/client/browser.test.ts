/** The client in a real browser: what was called reaches the collector though the page is left at once. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { findChromium, launchChromium } from "../../scripts/browser.ts";
import { bundleFor } from "../../client/bundle.ts";
import type { CollectorOptions, DecoratingCollector } from "../../client/decorators.ts";
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
  globalThis.createMetricsCollector = createMetricsCollector;
  document.title = "Ready";
</script>`;

describe.skipIf(!chromium)("in Chromium", () => {
  let browser: Browser;
  let site: Server;
  let url: string;
  let server: FakeServer;

  beforeAll(async () => {
    const client = fileURLToPath(new URL("../../client/decorators.ts", import.meta.url));
    const { outputFiles } = await build({ entryPoints: [client], ...bundleFor("page"), write: false });
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

  /** Runs in the page. */
  interface Page {
    metricsCollector: DecoratingCollector;
    createMetricsCollector: (options: CollectorOptions) => DecoratingCollector;
  }

  it.each([6, 25, 53, 2_000])(
    "durations of about %d µs have a true mean, though the clock moves in steps of 100 µs",
    async (microseconds) => {
      const page = await open();
      const { bareMs, wrappedMs, stepMs } = await page.evaluate(async (microseconds) => {
        const { metricsCollector } = globalThis as unknown as Page;
        let x = 1;
        const spin = (rounds: number) => {
          for (let i = 0; i < rounds; i++) x = Math.sin(x) + 1;
        };
        const wrapped = metricsCollector("spin", spin);
        // Of many calls together the clock tells the time well, whatever its steps are.
        const calls = Math.ceil(200_000 / microseconds);
        const timeCalls = (fn: (rounds: number) => void, rounds: number, times: number) => {
          const startMs = performance.now();
          for (let i = 0; i < times; i++) fn(rounds);
          return (performance.now() - startMs) / times;
        };
        timeCalls(spin, 3_000_000, 1);
        const rounds = Math.round((1_000 * microseconds) / timeCalls(spin, 1_000_000, 1));
        const bareMs = timeCalls(spin, rounds, calls);
        await metricsCollector.flush();
        const wrappedMs = timeCalls(wrapped, rounds, calls);
        let [stepMs, lastMs] = [Infinity, performance.now()];
        for (let changes = 0; changes < 20;) {
          const nowMs = performance.now();
          if (nowMs === lastMs) continue;
          stepMs = Math.min(stepMs, nowMs - lastMs);
          lastMs = nowMs;
          changes++;
        }
        await metricsCollector.flush();
        return { bareMs, wrappedMs, stepMs };
      }, microseconds);
      const spin = server.requests.flatMap(({ samples }) => samples).find((s) => s.function === "spin")!;
      expect(stepMs).toBeGreaterThan(0.004);
      expect(spin.unmeasured).toBe(0);
      expect(Object.values(spin.histogram).reduce((sum, n) => sum + n, 0)).toBe(spin.calls);
      // A call takes at least what the bare function takes, and at most what the wrapped call takes.
      const meanMs = spin.sumMs / spin.calls;
      expect(meanMs).toBeLessThanOrEqual(wrappedMs * 1.02);
      expect(meanMs).toBeGreaterThan(Math.min(bareMs, wrappedMs) * 0.7);
      expect(spin.minMs).toBeLessThanOrEqual(microseconds / 1_000);
      await page.close();
    },
  );

  it("custom elements come to life, whether the tag, the wrapper or the original makes them", async () => {
    const page = await open();
    const made = await page.evaluate(() => {
      const { metricsCollector } = globalThis as unknown as Page;
      class Box extends HTMLElement {
        ready = true;
      }
      const Wrapped = metricsCollector(Box);
      customElements.define("x-box", Wrapped);
      document.body.innerHTML = "<x-box></x-box>";
      class Inner extends HTMLElement {
        ready = true;
      }
      customElements.define("x-inner", Inner);
      const WrappedInner = metricsCollector(Inner);
      return [
        (document.querySelector("x-box") as Box).ready,
        new Wrapped().ready,
        new WrappedInner().ready,
        (document.createElement("x-box") as Box).ready,
        document.querySelector("x-box") instanceof Wrapped,
      ];
    });
    expect(made).toEqual([true, true, true, true, true]);
    await page.close();
  });

  it("localStorage stays as it is", async () => {
    const page = await open();
    const keys = await page.evaluate(() => {
      const { metricsCollector } = globalThis as unknown as Page;
      metricsCollector.all(localStorage);
      localStorage.setItem("mine", "1");
      return Object.keys(localStorage);
    });
    expect(keys).toEqual(["mine"]);
    await page.close();
  });

  it("a page with many functions that is left sends what the browser takes: made = arrived + pending", async () => {
    const page = await open();
    await page.evaluate(() => {
      const { metricsCollector } = globalThis as unknown as Page;
      for (let n = 0; n < 200; n++) metricsCollector(`more${n}`, () => n)();
    });
    await page.goto("about:blank");
    await vi.waitFor(() => expect(server.totalCalls).toBe(1_220), { timeout: 10_000 });
    expect(new Set(server.keys).size).toBe(server.requests.length);
    await page.close();
  });

  it("a page that is left while its POST is in flight, or in a backoff, loses nothing", async () => {
    const page = await open();
    let isAway = true;
    server.reply = () => (isAway ? { status: 503 } : "accept");
    await page.evaluate(() => {
      const { metricsCollector } = globalThis as unknown as Page;
      void metricsCollector.flush();
    });
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(0));
    await page.evaluate(() => {
      const { metricsCollector } = globalThis as unknown as Page;
      metricsCollector("late", () => 1)();
    });
    isAway = false;
    await page.goto("about:blank");
    await vi.waitFor(() => expect(server.calls).toMatchObject({ add: 1_000, late: 1 }), { timeout: 10_000 });
    expect(server.totalCalls).toBe(1_021);
    await page.close();
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
