/** Functions, classes and names of every kind. */
import { setTimeout as sleep } from "node:timers/promises";
import { createContext, runInContext } from "node:vm";
import { describe, expect, it, vi } from "vitest";
import { createMetricsCollector } from "../../client/index.ts";
import { server, metricsCollector, collect, report, about, boom, byName } from "./shapes.ts";

describe("a function that", () => {
  it("is sync is counted with its result, its error and its duration", async () => {
    const work = metricsCollector(function work(ms: number): number {
      const end = performance.now() + ms;
      while (performance.now() < end);
      if (ms > 10) throw boom;
      return ms;
    });
    expect(work(10)).toBe(10);
    expect(() => work(20)).toThrow(boom);
    const { work: sample } = await report();
    expect(sample).toEqual(about(2, 1, 30));
    expect(sample!.minMs).toBeGreaterThanOrEqual(9.9);
    expect(sample!.maxMs).toBeGreaterThanOrEqual(19.9);
    const measured = Object.values(sample!.histogram).reduce((sum, calls) => sum + calls, 0);
    expect(measured).toBe(2);
    expect(sample!.failures).toEqual([{ name: "RangeError", message: "boom", calls: 1 }]);
  });

  it("is async is counted when it is done", async () => {
    const work = metricsCollector(async function work(fails: boolean) {
      await sleep(20);
      if (fails) throw boom;
      return 7;
    });
    const [first, second] = [work(false), work(true)];
    expect(metricsCollector.stats().seen).toBe(0);
    expect(await first).toBe(7);
    await expect(second).rejects.toBe(boom);
    expect(await report()).toEqual({ work: about(2, 1, 40) });
  });

  it("returns a promise without being async gives that very promise", async () => {
    class Special extends Promise<number> {
      extra = "kept";
    }
    const promise = Special.resolve(7) as Special;
    const resolved = metricsCollector({ name: "resolved" }, () => promise);
    expect(resolved()).toBe(promise);
    const rejected = metricsCollector({ name: "rejected" }, () => Promise.reject(boom));
    await expect(rejected()).rejects.toBe(boom);
    expect(await report()).toEqual({ resolved: about(1, 0, 0), rejected: about(1, 1, 0) });
  });

  it("returns a promise of another realm is counted once that is awaited", async () => {
    const context = createContext({});
    const foreign = runInContext("Promise.resolve(7)", context) as Promise<number>;
    const work = metricsCollector({ name: "work" }, () => foreign);
    expect(work()).toBe(foreign);
    expect(await work()).toBe(7);
    expect((await report())["work"]!.calls).toBe(2);
  });

  it("is recursive counts at each level", async () => {
    const factorial: (n: number) => number = metricsCollector({ name: "factorial" }, (n: number) =>
      n < 2 ? 1 : n * factorial(n - 1),
    );
    expect(factorial(5)).toBe(120);
    expect(await report()).toEqual({ factorial: about(5, 0, 0) });
  });

  it("is re-entered while it waits counts each call with its own duration", async () => {
    const work: (n: number) => Promise<void> = metricsCollector({ name: "work" }, async (n: number) => {
      if (n > 0) await Promise.all([work(n - 1), sleep(10 * n)]);
    });
    const start = performance.now();
    await Promise.all([work(2), work(1)]);
    const waitedMs = performance.now() - start;
    const { work: sample } = await report();
    expect(sample).toEqual(about(5, 0, 40));
    expect(sample!.maxMs).toBeLessThanOrEqual(waitedMs + 0.01);
  });

  it("is already wrapped is not wrapped twice", async () => {
    const once = metricsCollector(function work() {});
    expect(metricsCollector(once)).toBe(once);
    expect(metricsCollector({ name: "other" }, once)).toBe(once);
    once();
    expect(await report()).toEqual({ work: about(1, 0, 0) });

    await using another = collect();
    const both = another(once);
    expect(both).not.toBe(once);
    both();
    expect([metricsCollector.stats().seen, another.stats().seen]).toEqual([2, 1]);
  });

  it("is bound, an arrow or a proxy is counted under its name", async () => {
    const basket = { count: 2 };
    function add(this: typeof basket, n: number) {
      return this.count + n;
    }
    const bound = metricsCollector(add.bind(basket));
    const arrow = metricsCollector((n: number) => n + 1);
    const proxy = metricsCollector({ name: "proxied" }, new Proxy(add, { apply: () => -1 }));
    expect([bound(1), arrow(1), proxy.call(basket, 1)]).toEqual([3, 2, -1]);
    const wrapped = metricsCollector({ name: "around" }, add).bind(basket);
    expect(wrapped(5)).toBe(7);
    expect(Object.keys(await report())).toEqual(["bound add", "function", "proxied", "around"]);
  });

  it("is a proxy that lets nobody look at it stays as it is", () => {
    const { proxy, revoke } = Proxy.revocable(() => 7, {
      ownKeys: () => {
        throw boom;
      },
    });
    expect(metricsCollector({ name: "work" }, proxy)()).toBe(7);
    revoke();
    expect(() => metricsCollector({ name: "work" }, proxy)).not.toThrow();
  });

  it("is not a function stays as it is", () => {
    for (const value of [undefined, null, 7, true]) {
      expect(metricsCollector(value as unknown as () => void)).toBe(value);
    }
  });

  it("has properties shows its own, read and written through the wrapper", () => {
    const symbol = Symbol("s");
    const fn = Object.assign(
      function counter() {
        return ++fn.calls;
      },
      { calls: 0, [symbol]: 1 },
    );
    Object.defineProperty(fn, "hidden", { value: 7 });
    const wrapped = metricsCollector(fn);
    wrapped();
    expect(wrapped()).toBe(2);
    expect(wrapped.calls).toBe(2);
    wrapped.calls = 10;
    expect(wrapped()).toBe(11);
    expect(Object.assign({}, wrapped)).toEqual({ calls: 11, [symbol]: 1 });
    expect((wrapped as unknown as { hidden: number }).hidden).toBe(7);
    const ownKeys = Reflect.ownKeys(wrapped).filter((key) => key !== "toString");
    expect(ownKeys.sort(byName)).toEqual(Reflect.ownKeys(fn).sort(byName));
    expect(String(wrapped)).toBe(String(fn));
  });

  it("keeps its this, its name, its length and its kind", () => {
    async function load(_a: number, _b: number) {}
    function* count(_a: number) {}
    const arrow = (_a: number, _b?: number) => {};
    for (const fn of [load, count, arrow, Math.max] as ((...args: never[]) => unknown)[]) {
      const wrapped = metricsCollector(fn);
      expect(wrapped.name).toBe(fn.name);
      expect(wrapped.length).toBe(fn.length);
      expect(wrapped.prototype).toBe(fn.prototype);
      expect(Object.getPrototypeOf(wrapped)).toBe(Object.getPrototypeOf(fn));
      expect(Object.getOwnPropertyDescriptor(wrapped, "name")).toEqual(
        Object.getOwnPropertyDescriptor(fn, "name"),
      );
    }
    const self = metricsCollector(function self(this: unknown) {
      return this;
    });
    const object = { self };
    expect(object.self()).toBe(object);
    expect(self()).toBe(undefined);
    expect(self.call(7)).toBe(7);
  });
});

describe("a constructor", () => {
  it("makes what it made, and counts under the name of its class", async () => {
    class Shape {
      static made = 0;
      readonly sides: number;
      readonly target: unknown;
      constructor(sides: number) {
        if (sides < 0) throw boom;
        this.sides = sides;
        this.target = new.target;
        Shape.made++;
      }
      static of(sides: number) {
        return new this(sides);
      }
    }
    const Wrapped = metricsCollector(Shape);
    const square = new Wrapped(4);
    expect(square).toBeInstanceOf(Shape);
    expect(square).toBeInstanceOf(Wrapped);
    expect(Object.getPrototypeOf(square)).toBe(Shape.prototype);
    expect([square.sides, square.target, Wrapped.made, Wrapped.of(3).sides]).toEqual([4, Shape, 1, 3]);
    expect(() => new Wrapped(-1)).toThrow(boom);
    expect(() => (Wrapped as unknown as () => void)()).toThrow(TypeError);

    class Square extends Wrapped {
      constructor() {
        super(4);
      }
    }
    expect(new Square()).toBeInstanceOf(Square);
    expect(new Square().target).toBe(Square);
    expect((await report())["Shape"]).toMatchObject({ calls: 6, errors: 2 });
  });

  it("that is a function of old works called and constructed", () => {
    function Point(this: { x: number } | undefined, x: number): unknown {
      if (!new.target) return new (Point as unknown as new (x: number) => object)(x);
      this!.x = x;
      return undefined;
    }
    Point.prototype.double = function (this: { x: number }) {
      return this.x * 2;
    };
    const Wrapped = metricsCollector(Point) as unknown as {
      (x: number): { x: number; double(): number };
      new (x: number): { x: number; double(): number };
    };
    expect([Wrapped(2).double(), new Wrapped(3).double()]).toEqual([4, 6]);
    expect(() => new (metricsCollector(() => {}) as unknown as new () => object)()).toThrow(TypeError);
  });
});

describe("names", () => {
  it("tell functions apart by module, and fit what the server takes", async () => {
    for (const module of ["a", "b", undefined]) {
      metricsCollector({ name: "work", ...(module && { module }) }, () => {})();
    }
    metricsCollector({ name: "n\0o\n".repeat(100) }, () => {})();
    await metricsCollector.flush();
    const names = server.requests.flatMap(({ samples }) => samples.map((s) => [s.module, s.function]));
    expect(names.slice(0, 3)).toEqual([
      ["a", "work"],
      ["b", "work"],
      ["", "work"],
    ]);
    expect(names[3]![1]).toBe("n o ".repeat(50).trim());
  });

  it("past the cap count under one, with one warning", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    await using collector = createMetricsCollector({
      url: "http://collector",
      service: "shop",
      fetcher: server.fetcher,
      maxFunctions: 3,
    });
    for (let n = 0; n < 1_000; n++) {
      const perRequest = collector({ name: `handler ${n}` }, () => n);
      expect([perRequest(), perRequest()]).toEqual([n, n]);
    }
    const samples = await report(collector);
    expect(Object.entries(samples).map(([name, { calls }]) => [name, calls])).toEqual([
      ["handler 0", 2],
      ["handler 1", 2],
      ["handler 2", 2],
      ["__overflow__", 1_994],
    ]);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("__overflow__")]]);
    warn.mockRestore();
  });
});
