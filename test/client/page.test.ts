/** In a browser's page, or what the client sees of one: hidden, it may be gone at any moment. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type MetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";

class Page extends EventTarget {
  hidden = false;

  hide(hidden = true): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let page: Page;
let server: FakeServer;
let metricsCollector: MetricsCollector;
/** What `fetch` was asked for, as it was asked. */
let fetched: RequestInit[];
let beacons: { url: string; body: string }[];

beforeEach(async () => {
  page = new Page();
  vi.stubGlobal("document", page);
  server = await new FakeServer().listen();
  fetched = [];
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    fetched.push(init);
    return fetch(url, init);
  });
  beacons = [];
  Object.assign(navigator, {
    sendBeacon: (url: string, body: string) => beacons.push({ url, body }) > 0,
  });
  metricsCollector = createMetricsCollector({
    url: server.url,
    service: "shop",
    token: "secret",
    intervalMs: 3_600_000,
    retryMs: 1,
    timeoutMs: 200,
  });
});

afterEach(async () => {
  await metricsCollector.close({ timeoutMs: 0 });
  Reflect.deleteProperty(navigator, "sendBeacon");
  await server[Symbol.asyncDispose]();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

function call(name: string, times = 1): void {
  const fn = metricsCollector({ name }, () => {});
  for (let i = 0; i < times; i++) fn();
}

describe("when the page is hidden", () => {
  it("what was called is on its way before the event is over, by a fetch that outlives the page", async () => {
    for (let n = 0; n < 60; n++) call(`function${n}`);
    page.hide();
    // There is no time to wait for anything, so not for compression either.
    expect(fetched).toHaveLength(1);
    expect(fetched[0]).toMatchObject({ keepalive: true, method: "POST" });
    expect(typeof fetched[0]!.body).toBe("string");
    await vi.waitFor(() => expect(metricsCollector.stats().acknowledged).toBe(60));
    expect(beacons).toEqual([]);
  });

  it("nothing is sent where there is nothing to say, nor when it is shown again", async () => {
    page.hide();
    page.hide(false);
    call("work");
    page.hide(false);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fetched).toEqual([]);
  });

  it("bodies stay under 64 KiB, however much there is", async () => {
    for (let n = 0; n < 600; n++) call(`function number ${n} with a long name`);
    page.hide();
    await vi.waitFor(() => expect(metricsCollector.stats().pending).toBe(0), { timeout: 5_000 });
    expect(server.totalCalls).toBe(600);
    expect(server.requests.length).toBeGreaterThan(2);
    for (const { json } of server.requests) expect(Buffer.byteLength(json)).toBeLessThan(65_536);
  });

  it("nothing is sent after close", async () => {
    await metricsCollector.close();
    call("work");
    page.hide();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fetched).toEqual([]);
    expect(metricsCollector.stats().pending).toBe(1);
  });

  it("a batch that is on its way already is not sent again", async () => {
    let answer = () => {};
    server.reply = () => new Promise((resolve) => (answer = () => resolve("accept")));
    call("work");
    const flushed = metricsCollector.flush();
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    page.hide();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fetched).toHaveLength(1);
    answer();
    expect(await flushed).toBe(true);
  });
});

describe("where fetch cannot outlive the page", () => {
  beforeEach(() => {
    vi.stubGlobal("Request", class {});
  });

  it("a beacon goes, as plain text, with its key and the token in the body", async () => {
    call("work", 3);
    page.hide();
    expect(fetched).toEqual([]);
    expect(beacons).toHaveLength(1);
    const { url, body } = beacons[0]!;
    expect(url).toBe(`${server.url}/samples`);
    const { idempotencyKey, token, service, samples } = JSON.parse(body) as Record<string, unknown>;
    expect(idempotencyKey).toMatch(/^\d+-0\.\d+$/);
    expect([token, service]).toEqual(["secret", "shop"]);
    expect(samples).toMatchObject([{ function: "work", calls: 3 }]);
    // A beacon has no answer.
    expect(metricsCollector.stats()).toMatchObject({ acknowledged: 0, pending: 3 });
  });

  it("and if the page lives on, the same batch goes again under the same key", async () => {
    call("work", 3);
    page.hide();
    page.hide(false);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]!.json).toBe(beacons[0]!.body);
    expect(server.requests[0]!.key).toBe(
      (JSON.parse(beacons[0]!.body) as { idempotencyKey: string }).idempotencyKey,
    );
    expect(metricsCollector.stats()).toMatchObject({ acknowledged: 3, pending: 0 });
  });

  it("while the page is hidden too, it goes again by a fetch, which has an answer", async () => {
    call("work", 3);
    page.hide();
    await vi.waitFor(() => expect(metricsCollector.stats().acknowledged).toBe(3));
    expect(beacons).toHaveLength(1);
    expect(server.calls).toEqual({ work: 3 });
  });

  it("a token that cannot be had does not become the trouble of the page", async () => {
    const thrown: unknown[] = [];
    const listen = (error: unknown) => thrown.push(error);
    process.on("uncaughtException", listen);
    process.on("unhandledRejection", listen);
    const another = createMetricsCollector({
      url: server.url,
      service: "shop",
      get token(): string {
        throw new Error("The vault is sealed.");
      },
    });
    another({ name: "work" }, () => {})();
    page.hide();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await another.close({ timeoutMs: 0 });
    process.off("uncaughtException", listen);
    process.off("unhandledRejection", listen);
    expect([thrown, beacons]).toEqual([[], []]);
    expect(another.stats().pending).toBe(1);
  });

  it("no beacon goes where there is nothing to say", () => {
    page.hide();
    expect(beacons).toEqual([]);
  });
});
