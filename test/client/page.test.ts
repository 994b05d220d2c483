/** In a browser's page, or what the client sees of one: hidden, it may be gone at any moment. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type MetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";

/** As much of a window and its document as the client uses. */
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
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  server = await new FakeServer().listen();
  fetched = [];
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    // A collector of the test before may still be retrying, to a server of its own.
    if (url.startsWith(server.url)) fetched.push(init);
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
    timeoutMs: 5_000,
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

  it("what waits goes in pieces, those of the functions with the most calls first", async () => {
    for (let n = 0; n < 600; n++) call(`function number ${n} with a long name`, n === 300 ? 5 : 1);
    page.hide();
    const pieces = fetched.map(({ body }) => JSON.parse(body as string) as { samples: { calls: number }[] });
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces[0]!.samples[0]!.calls).toBe(5);
    for (const { body } of fetched) expect((body as string).length).toBeLessThan(16_384);
    await vi.waitFor(() => expect(metricsCollector.stats().pending).toBe(0), { timeout: 5_000 });
    expect(server.totalCalls).toBe(604);
  });

  it("what the browser refuses goes by beacon, and what that refuses too stays pending", async () => {
    let room = 20_000;
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    Object.assign(navigator, {
      sendBeacon: (url: string, body: string) => {
        if ((room -= body.length) < 0) return false;
        return beacons.push({ url, body }) > 0;
      },
    });
    for (let n = 0; n < 300; n++) call(`function number ${n} with a long name`);
    page.hide();
    await vi.waitFor(() => expect(beacons).toHaveLength(1));
    expect(metricsCollector.stats().pending).toBe(300);
  });

  it("nothing is sent after close", async () => {
    await metricsCollector.close();
    call("work");
    page.hide();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fetched).toEqual([]);
    expect(metricsCollector.stats().pending).toBe(1);
  });

  it("a batch that the browser sends even without the page is not sent again", async () => {
    let answer = () => {};
    server.reply = () => new Promise((resolve) => (answer = () => resolve("accept")));
    call("work");
    const flushed = metricsCollector.flush();
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    expect(fetched[0]).toMatchObject({ keepalive: true });
    page.hide();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fetched).toHaveLength(1);
    answer();
    expect(await flushed).toBe(true);
  });

  it("a batch that waits for a backoff to end goes at once, and so does what was called since", async () => {
    server.reply = () => (server.requests.length < 2 ? { status: 500 } : "accept");
    await metricsCollector.close({ timeoutMs: 0 });
    metricsCollector = createMetricsCollector({
      url: server.url,
      service: "shop",
      intervalMs: 20,
      retryMs: 1_000_000,
    });
    call("first", 2);
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    call("second", 3);
    page.hide();
    await vi.waitFor(() => expect(server.calls).toEqual({ first: 2, second: 3 }));
    expect(new Set(server.keys).size).toBe(2);
  });

  it("what is called while it is hidden goes when it is left", async () => {
    page.hide();
    call("work", 4);
    page.dispatchEvent(new Event("pagehide"));
    await vi.waitFor(() => expect(server.calls).toEqual({ work: 4 }));
  });

  it("what a listener of the program calls at that moment goes along", async () => {
    // Listeners on the document run before those on the window.
    const target = new EventTarget();
    const autosave = metricsCollector({ name: "autosave" }, () => {});
    target.addEventListener("visibilitychange", autosave);
    target.dispatchEvent(new Event("visibilitychange"));
    page.hide();
    await vi.waitFor(() => expect(server.calls).toEqual({ autosave: 1 }));
  });

  it("the listeners come back after document.open() has removed them", async () => {
    call("work");
    vi.stubGlobal("document", (page = new Page()));
    vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
    // A call of a function that had none since the last report looks at what is due.
    call("other");
    page.hide();
    await vi.waitFor(() => expect(server.calls).toEqual({ work: 1, other: 1 }));
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
    expect(url.replace(/ageMs=\d+$/, "ageMs=n")).toBe(`${server.url}/samples?ageMs=n`);
    const { idempotencyKey, token, service, samples } = JSON.parse(body) as Record<string, unknown>;
    expect(idempotencyKey).toMatch(/^\d+(-\d+){3}$/);
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
