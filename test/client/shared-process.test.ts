/** What a program shares with its collectors: listeners, threads, child processes, the event loop, and promises. */
/* oxlint-disable no-extend-native, unicorn/no-thenable -- one test counts the reactions to a promise */
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadClient } from "./fresh-client.ts";
import { server, silently, start } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });

afterEach(() => {
  vi.restoreAllMocks();
});

const CLIENT = JSON.stringify(new URL("../../client/index.ts", import.meta.url).href);

describe("a program", () => {
  it("with twenty collectors gets no warning of too many listeners", async () => {
    const { ended } = start(`
      const others = Array.from({ length: 20 }, () =>
        createMetricsCollector({ url: ${JSON.stringify(server.url)}, service: "shop", intervalMs: 3_600_000 }));
      for (const other of others) other("work", () => {})();`);
    expect(await ended).toEqual(silently);
    expect(server.calls).toEqual({ work: 20 });
  });

  it("with a worker thread counts in both", async () => {
    const { ended } = start(`
      const { Worker } = await import("node:worker_threads");
      work();
      new Worker(\`
        import(${CLIENT.replaceAll('"', "'")}).then(async ({ createMetricsCollector }) => {
          const collector = createMetricsCollector({ url: '${server.url}', service: 'shop' });
          collector('inThread', () => {})();
          await collector.close();
        });\`, { eval: true });`);
    expect(await ended).toEqual(silently);
    expect(server.calls).toEqual({ work: 1, inThread: 1 });
  });

  it("under node --test ends, and its calls are counted", async () => {
    const { ended } = start(`
      const { test } = await import("node:test");
      test("one", () => { work(); });`);
    expect(await ended).toMatchObject({ code: 0 });
    expect(server.calls).toEqual({ work: 1 });
  });
});

it("a pending promise that comes back again and again gets one reaction, and each call counts", async () => {
  const { then } = Promise.prototype;
  let resolve!: (n: number) => void;
  const pending = new Promise<number>((done) => (resolve = done));
  let reactions = 0;
  Promise.prototype.then = function (this: unknown, ...args: unknown[]) {
    if (this === pending) reactions++;
    return Reflect.apply(then, this, args) as never;
  } as typeof then;
  try {
    const { createMetricsCollector } = await loadClient();
    const collector = createMetricsCollector({ url: server.url, service: "shop" });
    const load = collector("load", () => pending);
    let others = 0;
    for (let n = 0; n < 1_000; n++) if (load() !== pending) others++;
    expect([others, reactions]).toEqual([0, 1]);
    resolve(7);
    await pending;
    expect(await collector.close()).toBe(true);
    expect(server.calls).toEqual({ load: 1_000 });
  } finally {
    Promise.prototype.then = then;
  }
});

it("sealing lets the event loop turn again and again", async () => {
  // Every look at the clock takes a tenth of a millisecond, so that five sums take half of one.
  let nowMs = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (nowMs += 0.1));
  const { createMetricsCollector } = await loadClient();
  const collector = createMetricsCollector({ url: server.url, service: "shop", intervalMs: 3_600_000 });
  for (let n = 0; n < 200; n++) collector(`function${n}`, () => n)();
  let turns = 0;
  let isCounting = true;
  const count = () => {
    turns++;
    if (isCounting && server.requests.length === 0) setImmediate(count);
  };
  setImmediate(count);
  const flushed = collector.flush({ timeoutMs: 1e9 });
  await vi.waitFor(() => expect(server.requests).toHaveLength(1), { timeout: 20_000 });
  isCounting = false;
  await flushed;
  expect(turns).toBeGreaterThan(20);
  await collector.close({ timeoutMs: 0 });
});
