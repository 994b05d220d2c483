/** The client inside workerd, where nothing runs between invocations and the clock stands still. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { convertV4MiniflareOptions, kCurrentWorker, Miniflare, Response as WorkerResponse } from "miniflare";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runtimeOf } from "../../client/bundle.ts";
import type { Stats } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: FakeServer;
let worker: Miniflare;
/** How the service binding was called. */
let bound: string[];

async function start(compatibilityDate: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("fixtures/worker.ts", import.meta.url))],
    bundle: true,
    // As wrangler does.
    keepNames: true,
    format: "esm",
    external: ["cloudflare:workers"],
    plugins: [runtimeOf("worker")],
    write: false,
  });
  worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate,
      durableObjects: { ROOM: { className: "Room", useSQLite: true } },
      // All that the Worker fetches ends up here.
      outboundService: (request) => receive(request as unknown as Request),
      serviceBindings: {
        SHOP: { name: kCurrentWorker, entrypoint: "Shop" },
        METRICS: (request) => {
          bound.push(request.url);
          return receive(request as unknown as Request);
        },
      },
    }),
  );
  await worker.ready;
}

async function receive(request: Request): Promise<WorkerResponse> {
  const body = await request.arrayBuffer();
  const { method, headers, url } = request;
  const response = await server.fetcher.fetch(url, { method, headers: Object.fromEntries(headers), body });
  return new WorkerResponse(await response.text(), { status: response.status });
}

const get = async (path: string): Promise<string> =>
  (await worker.dispatchFetch(`http://worker${path}`)).text();
const servicesSent = () =>
  server.requests.map(({ json }) => (JSON.parse(json) as { service: string }).service);
const stats = async () => JSON.parse(await get("/stats")) as Stats;
const interval = () => new Promise((resolve) => setTimeout(resolve, 250));

beforeEach(() => {
  server = new FakeServer();
  bound = [];
});

afterEach(() => worker.dispose());

describe.each(["2026-11-02", "2024-09-01"])("a Worker of %s", (date) => {
  beforeEach(() => start(date));

  it("keeps the invocation of an interval's first call alive until its sums are sent, though nothing is called after it", async () => {
    const startMs = performance.now();
    await get("/compute?times=100");
    // The answer did not wait for the POST.
    expect(performance.now() - startMs).toBeLessThan(180);
    await get("/compute?times=100");
    expect(server.requests).toHaveLength(0);
    await vi.waitFor(() => expect(server.calls).toEqual({ atLoad: 1, compute: 200 }));
    expect(server.requests).toHaveLength(1);
    await interval();
    await interval();
    expect(server.requests).toHaveLength(1);
    expect(await stats()).toMatchObject({ seen: 201, acknowledged: 201, pending: 0 });
  });

  it("reports what a cron trigger calls, each time", async () => {
    for (let run = 1; run <= 3; run++) {
      await (await worker.getWorker()).scheduled({ cron: "* * * * *" });
      await vi.waitFor(() => expect(server.calls).toMatchObject({ compute: 10 * run }));
    }
  });

  it("reports what the alarm of a Durable Object calls", async () => {
    await get("/room/alarm");
    await vi.waitFor(() => expect(server.calls).toMatchObject({ compute: 7 }));
  });

  it("sends at most once an interval, however many invocations call and overlap", async () => {
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 10 }, () => get("/wait?times=50")));
    const intervals = (performance.now() - startMs) / 200;
    expect(server.requests.length).toBeGreaterThan(1);
    expect(server.requests.length).toBeLessThanOrEqual(intervals + 1);
    await vi.waitFor(() => expect(server.calls).toMatchObject({ wait: 500 }));
  });

  it("sends nothing early, however many sums wait: an invocation may only send so many requests", async () => {
    await get("/each?times=12");
    await get("/room/each?times=12");
    expect(servicesSent().filter((service) => service === "full")).toEqual([]);
  });

  it("ends its waiting once a flush has sent everything, since queues wait for it", async () => {
    await get("/slow/flush");
    expect(servicesSent()).toEqual(["slow"]);
    const response = await (await worker.getWorker()).scheduled({ cron: "flush" });
    expect(response.outcome).toBe("ok");
  });

  it("counts what did no I/O as unmeasured, what was called at load in the first minute there is", async () => {
    await get("/compute?times=3");
    await get("/wait?times=2");
    await get("/flush");
    const samples = server.requests.flatMap((request) => request.samples);
    const measured = samples.map((s) => [s.function, s.calls, s.calls - s.unmeasured]);
    // Here, unlike in production, the clock may move by a millisecond between two reads.
    expect(measured).toEqual([
      ["atLoad", 1, 0],
      ["compute", 3, expect.toSatisfy((calls: number) => calls < 3)],
      ["wait", 2, 2],
    ]);
    expect(samples[2]!.minMs).toBeGreaterThanOrEqual(15);
    for (const { at } of samples) expect(Math.abs(Date.now() - at)).toBeLessThan(120_000);
  });

  it("goes on after an invocation that met a collector which was away", async () => {
    server.reply = () => "dropRequest";
    await get("/compute");
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(0));
    server.reply = () => "accept";
    await vi.waitFor(
      async () => {
        await get("/compute");
        expect((await stats()).acknowledged).toBeGreaterThanOrEqual(2);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(new Set(server.keys.slice(0, 2)).size).toBe(1);
  });

  it("counts what was called at load alone in the minute in which it is flushed", async () => {
    expect(await get("/flush")).toBe("true");
    const [sample] = server.requests[0]!.samples;
    expect([sample!.function, sample!.calls]).toEqual(["atLoad", 1]);
    expect(Math.abs(Date.now() - sample!.at)).toBeLessThan(120_000);
  });

  it("measures promises of other Workers, and leaves what may be called on them", async () => {
    const { results, stats } = JSON.parse(await get("/shop")) as { results: unknown[]; stats: Stats };
    expect(results).toEqual([7, "sold out", "sold out", 3, 3]);
    expect(stats).toMatchObject({ seen: 5, acknowledged: 5 });
    const [price, cart] = server.requests[0]!.samples;
    expect(price).toMatchObject({ function: "price", calls: 3, errors: 2, unmeasured: 0 });
    expect(price!.failures).toEqual([{ name: "RangeError", message: "sold out", calls: 2 }]);
    expect(price!.minMs).toBeGreaterThanOrEqual(15);
    // A promise that nobody awaits does not say when it ends.
    expect(cart).toMatchObject({ function: "cart", calls: 2, errors: 0 });
    expect(cart!.unmeasured).toBeGreaterThanOrEqual(1);
  });

  it("sends through a service binding", async () => {
    expect(JSON.parse(await get("/binding"))).toMatchObject({ seen: 1, acknowledged: 1 });
    expect(bound).toEqual([expect.stringMatching(/^http:\/\/metrics\/samples(\?ageMs=\d+)?$/)]);
    expect(server.calls).toEqual({ work: 1 });
  });
});
