/** Names given as text, calls that are recorded or timed, and calls whose result nobody uses. */
/* oxlint-disable unicorn/no-thenable -- thenables are among the results */
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type MetricsCollector } from "../../client/index.ts";
import { FakeServer, type Sample } from "./fake-server.ts";

let server: FakeServer;
let metricsCollector: MetricsCollector;

beforeEach(() => {
  server = new FakeServer();
  vi.spyOn(console, "warn").mockImplementation(() => {});
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
  });
});

afterEach(async () => {
  await metricsCollector.close({ timeoutMs: 0 });
  vi.restoreAllMocks();
});

async function report(): Promise<Record<string, Sample>> {
  await metricsCollector.flush();
  return Object.fromEntries(server.requests.flatMap(({ samples }) => samples).map((s) => [s.function, s]));
}

const boom = new RangeError("boom");

describe("a name given as text", () => {
  it("names the function, whatever it is called", async () => {
    const total = metricsCollector("total", (prices: number[]) => prices.length);
    expect(total([1, 2])).toBe(2);
    const later = metricsCollector("later")(async () => 7);
    expect(await later()).toBe(7);
    expect(await report()).toMatchObject({ total: { calls: 1 }, later: { calls: 1 } });
  });

  it("is asked for, once, where several functions share a minifier's name", () => {
    for (let i = 0; i < 3; i++) metricsCollector(() => i);
    const t = (n: number) => n;
    metricsCollector(t);
    metricsCollector("named", () => 1);
    expect(vi.mocked(console.warn).mock.calls).toEqual([
      [expect.stringMatching(/Several functions are named "".*metricsCollector\("total", fn\)/)],
    ]);
  });
});

describe("time", () => {
  it("counts a piece of code under a name, with its result or its error", async () => {
    expect(metricsCollector.time("sync", () => 7)).toBe(7);
    expect(await metricsCollector.time("async", async () => sleep(20, 8))).toBe(8);
    expect(() =>
      metricsCollector.time("fails", () => {
        throw boom;
      }),
    ).toThrow(boom);
    await expect(metricsCollector.time("rejects", () => Promise.reject(boom))).rejects.toBe(boom);
    const samples = await report();
    expect(samples).toMatchObject({
      sync: { calls: 1, errors: 0 },
      async: { calls: 1, errors: 0 },
      fails: { calls: 1, errors: 1 },
      rejects: { calls: 1, errors: 1 },
    });
    expect(samples["async"]!.sumMs).toBeGreaterThanOrEqual(18);
  });
});

describe("record", () => {
  it("counts a call that the program has measured, with its duration and error", async () => {
    metricsCollector.record({ function: "import", module: "jobs", durationMs: 120.5 });
    metricsCollector.record({ function: "import", module: "jobs", durationMs: 79.5, error: boom });
    metricsCollector.record({ function: "import", module: "jobs" });
    expect((await report())["import"]).toMatchObject({
      module: "jobs",
      calls: 3,
      errors: 1,
      unmeasured: 1,
      sumMs: 200,
      minMs: 79.5,
      maxMs: 120.5,
      failures: [{ name: "RangeError", message: "boom", calls: 1 }],
    });
  });

  it("never throws, and takes no impossible duration", async () => {
    for (const durationMs of [NaN, -1, Infinity, "7"]) {
      metricsCollector.record({ function: "odd", durationMs: durationMs as number });
    }
    for (const call of [undefined, null, 7]) metricsCollector.record(call as never);
    expect((await report())["odd"]).toMatchObject({ calls: 4, unmeasured: 4, sumMs: 0 });
  });
});

describe("a call counts whatever becomes of its result", () => {
  /** As OpenAI's: a promise that starts by other methods than `then` too. */
  class ApiPromise extends Promise<string> {
    #run: () => Promise<string>;
    constructor(run: () => Promise<string>) {
      super((resolve) => resolve(""));
      this.#run = run;
    }
    asResponse() {
      return this.#run();
    }
    override then(...handlers: unknown[]): any {
      return this.#run().then(...(handlers as []));
    }
    override catch(...handlers: unknown[]): any {
      return this.#run().catch(...(handlers as []));
    }
    static override get [Symbol.species]() {
      return Promise;
    }
  }

  it("by another method than then, by a lone catch, or not at all", async () => {
    const create = metricsCollector("create", () => new ApiPromise(async () => "text"));
    expect(await create().asResponse()).toBe("text");
    await create().catch(() => "never");
    void create();
    expect(metricsCollector.stats().seen).toBe(0);
    expect((await report())["create"]).toMatchObject({ calls: 3, errors: 0, unmeasured: 3 });
  });

  it("also a generator that nobody iterates, and once if somebody does so later", async () => {
    const count = metricsCollector("count", function* () {
      yield 1;
    });
    const generator = count();
    await metricsCollector.flush();
    expect([...generator]).toEqual([1]);
    expect((await report())["count"]).toMatchObject({ calls: 1, unmeasured: 1 });
  });

  it("also more of them than are remembered", () => {
    const create = metricsCollector("create", () => new ApiPromise(async () => "text"));
    for (let i = 0; i < 5_000; i++) void create();
    expect(metricsCollector.stats().seen).toBeGreaterThan(3_900);
  });
});

describe("a promise", () => {
  it("that many calls return costs little memory, and each call counts with its own duration", async () => {
    const program = `
      const { createMetricsCollector } = await import(${JSON.stringify(new URL("../../client/index.ts", import.meta.url).href)});
      const metricsCollector = createMetricsCollector({
        url: "http://collector", service: "shop", fetcher: { fetch: () => new Promise(() => {}) },
      });
      const pending = new Promise((resolve) => setTimeout(resolve, 300, 7));
      const load = metricsCollector("load", () => pending);
      gc();
      const before = process.memoryUsage().heapUsed;
      for (let i = 0; i < 200_000; i++) load();
      gc();
      const grownBytes = process.memoryUsage().heapUsed - before;
      await pending;
      console.log(JSON.stringify({ grownBytes, seen: metricsCollector.stats().seen }));
      process.exit(0);`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      "--expose-gc",
      "--input-type=module",
      "-e",
      program,
    ]);
    const { grownBytes, seen } = JSON.parse(stdout) as { grownBytes: number; seen: number };
    expect(seen).toBe(200_000);
    // A reaction for each call takes 500 bytes.
    expect(grownBytes).toBeLessThan(25_000_000);
  });

  it("is native by itself, whatever the global Promise is", async () => {
    class Other extends Promise<unknown> {
      override then(): never {
        throw new Error("Not this one.");
      }
    }
    const load = metricsCollector("load", async () => 7);
    const { Promise: Native } = globalThis;
    let loaded: Promise<number>;
    globalThis.Promise = Other as never;
    try {
      loaded = load();
    } finally {
      globalThis.Promise = Native;
    }
    expect(await loaded).toBe(7);
    expect(metricsCollector.stats().seen).toBe(1);
  });

  it("with properties of its own stays the same with stream: end", () => {
    const promise = Object.assign(Promise.resolve(new Response("text")), { json: () => 7 });
    const get = metricsCollector({ name: "get", stream: "end" }, () => promise);
    expect(get()).toBe(promise);
    expect(get().json()).toBe(7);
  });

  it("that is thrown, as React's components do, is no error", async () => {
    const thrown = Promise.resolve();
    const suspend = metricsCollector("suspend", () => {
      throw thrown;
    });
    let caught: unknown;
    try {
      suspend();
    } catch (error) {
      caught = error;
    }
    expect(caught).toBe(thrown);
    expect((await report())["suspend"]).toMatchObject({ calls: 1, errors: 0 });
  });

  it("of a proxy of a remote object is read as often as without the wrapper", async () => {
    const reads: string[] = [];
    // As Comlink's: each read of `then` is a message.
    const remote = new Proxy(() => {}, {
      get: (_, key) => {
        reads.push(String(key));
        return key === "then" ? (resolve: (n: number) => void) => resolve(7) : undefined;
      },
    }) as unknown as Promise<number>;
    const counter = metricsCollector("counter", () => remote);
    expect(await counter()).toBe(7);
    expect(reads.filter((key) => key === "then")).toHaveLength(1);
    expect(metricsCollector.stats().seen).toBe(1);
  });
});

describe("a wrapper is like the original", () => {
  it("in its source text, from which libraries read names of parameters", () => {
    const fn = function inject(database: unknown, cache: unknown) {
      return [database, cache];
    };
    expect(metricsCollector(fn).toString()).toBe(fn.toString());
  });
});
