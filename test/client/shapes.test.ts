/** Every shape of function: it does what it did, and its calls, errors and durations are counted. */
/* oxlint-disable unicorn/no-thenable -- thenables are among the shapes */
import { setTimeout as sleep } from "node:timers/promises";
import { createContext, runInContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type CallOptions, type MetricsCollector } from "../../client/index.ts";
import { FakeServer, type Sample } from "./fake-server.ts";

let server: FakeServer;
let metricsCollector: MetricsCollector;

beforeEach(() => {
  server = new FakeServer();
  metricsCollector = collect();
});

afterEach(() => metricsCollector.close({ timeoutMs: 0 }));

function collect(options: CallOptions = {}): MetricsCollector {
  return createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
    ...options,
  });
}

/** What the server got since the last time, by function. */
async function report(collector = metricsCollector): Promise<Record<string, Sample>> {
  server.requests.length = 0;
  await collector.flush();
  const samples = server.requests.flatMap((request) => request.samples);
  return Object.fromEntries(samples.map((sample) => [sample.function, sample]));
}

/** How many calls and errors, and whether the durations add up to about this. */
function about(calls: number, errors: number, leastMs: number) {
  return expect.objectContaining({
    calls,
    errors,
    sumMs: expect.toSatisfy((ms: number) => ms >= leastMs - 2),
  });
}

const boom = new RangeError("boom");

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

describe("what is thrown", () => {
  const frozen = Object.freeze(new TypeError("frozen"));
  const foreign = runInContext("new TypeError('foreign')", createContext({})) as Error;
  const hostile = {
    get name() {
      return "Hostile";
    },
    get message(): string {
      throw new Error("Nobody reads me.");
    },
  };
  const naughty = { name: 7, message: Symbol("s"), toString: () => null };

  it.each<[string, unknown, { name: string; message: string }]>([
    ["undefined", undefined, { name: "undefined", message: "undefined" }],
    ["null", null, { name: "object", message: "null" }],
    ["a string", "text", { name: "string", message: "text" }],
    ["a symbol", Symbol("s"), { name: "symbol", message: "Symbol(s)" }],
    ["a frozen error", frozen, { name: "TypeError", message: "frozen" }],
    ["an error of another realm", foreign, { name: "TypeError", message: "foreign" }],
    ["an object whose message getter throws", hostile, { name: "Hostile", message: "" }],
    ["an object with no texts", naughty, { name: "Error", message: "" }],
    ["an object without a prototype", Object.create(null), { name: "Error", message: "" }],
    ["lines and control characters", new Error("a\n\0b"), { name: "Error", message: "a b" }],
    ["a long text", new Error("x".repeat(9_999)), { name: "Error", message: "x".repeat(500) }],
  ])("is thrown on and told apart: %s", async (_, thrown, failure) => {
    const sync = metricsCollector({ name: "sync" }, () => {
      throw thrown;
    });
    const async = metricsCollector({ name: "async" }, async () => Promise.reject(thrown as Error));
    expect(caught(sync)).toBe(thrown);
    expect(await async().catch((reason: unknown) => reason)).toBe(thrown);
    const samples = await report();
    for (const name of ["sync", "async"]) {
      expect(samples[name]).toMatchObject({ calls: 1, errors: 1, failures: [{ ...failure, calls: 1 }] });
    }
  });

  it("is summed by name and message, and past ten different ones is an error all the same", async () => {
    const fail = metricsCollector({ name: "fail" }, (n: number) => {
      throw new Error(`number ${n}`);
    });
    for (let i = 0; i < 40; i++) expect(() => fail(i % 20)).toThrow(/^number/);
    const { fail: sample } = await report();
    expect(sample).toMatchObject({ calls: 40, errors: 40 });
    expect(sample!.failures).toHaveLength(10);
    expect(sample!.failures.every(({ calls }) => calls === 2)).toBe(true);
  });

  it("stays unhandled if it was, where the function is async", async () => {
    const unhandled: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process
      .removeAllListeners("unhandledRejection")
      .on("unhandledRejection", (reason) => unhandled.push(reason));
    try {
      void metricsCollector(async () => Promise.reject(boom))();
      await sleep(5);
      expect(unhandled).toEqual([boom]);
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of others) process.on("unhandledRejection", listener);
    }
  });
});

describe("what counts as an error", () => {
  it("may be a result, of a promise what it resolves to", async () => {
    await using collector = collect({ isError: (result: { ok: boolean }) => !result.ok });
    const sync = collector({ name: "sync" }, (ok: boolean) => ({ ok }));
    const async = collector({ name: "async" }, async (ok: boolean) => ({ ok }));
    const plain = collector({ name: "plain", isError: (n) => n < 0 }, (n: number) => n);
    for (const ok of [true, false, false]) {
      expect(sync(ok)).toEqual({ ok });
      expect(await async(ok)).toEqual({ ok });
    }
    expect([plain(1), plain(-1)]).toEqual([1, -1]);
    expect(await report(collector)).toEqual({
      sync: about(3, 2, 0),
      async: about(3, 2, 0),
      plain: about(2, 1, 0),
    });
  });

  it("does not include AbortError where that is to be ignored", async () => {
    const abort = () => AbortSignal.abort().throwIfAborted();
    const counted = metricsCollector({ name: "counted" }, abort);
    const ignored = metricsCollector({ name: "ignored", ignoreAborts: true }, abort);
    const later = metricsCollector({ name: "later", ignoreAborts: true }, async () => abort());
    const other = metricsCollector({ name: "other", ignoreAborts: true }, () => {
      throw undefined;
    });
    for (const fn of [counted, ignored, other]) caught(fn);
    await expect(later()).rejects.toThrow("aborted");
    const samples = await report();
    expect(Object.entries(samples).map(([name, { calls, errors }]) => [name, calls, errors])).toEqual([
      ["counted", 1, 1],
      ["ignored", 1, 0],
      ["other", 1, 1],
      ["later", 1, 0],
    ]);
  });
});

describe("a lazy thenable", () => {
  /** As query builders are: chained, and run by `then`. */
  class Query<T> implements PromiseLike<T> {
    executed = 0;
    limits = 0;
    readonly #run: () => Promise<T>;
    constructor(run: () => Promise<T>) {
      this.#run = run;
    }
    limit(): this {
      this.limits++;
      return this;
    }
    then<A = T, B = never>(
      onOk?: ((value: T) => A | PromiseLike<A>) | null,
      onError?: ((e: unknown) => B | PromiseLike<B>) | null,
    ): Promise<A | B> {
      this.executed++;
      return this.#run().then(onOk, onError);
    }
    async catch(onError: (e: unknown) => unknown): Promise<unknown> {
      return this.then(undefined, onError);
    }
  }

  it("comes back as it is, and runs and counts only when it is awaited", async () => {
    const query = new Query(async () => sleep(20, "rows"));
    const select = metricsCollector(function select() {
      return query;
    });
    expect(select()).toBe(query);
    expect(Object.keys(query)).toEqual(["executed", "limits"]);
    await sleep(30);
    expect([query.executed, metricsCollector.stats().seen]).toEqual([0, 0]);

    const start = performance.now();
    expect(await query.limit().limit()).toBe("rows");
    const waitedMs = performance.now() - start;
    expect([query.executed, query.limits, metricsCollector.stats().seen]).toEqual([1, 2, 1]);
    expect(await query).toBe("rows");
    expect(query.executed).toBe(2);
    const { select: sample } = await report();
    expect(sample).toEqual(about(1, 0, 20));
    // From when it was awaited: it had been lying there for longer.
    expect(sample!.sumMs).toBeLessThanOrEqual(waitedMs + 0.01);
  });

  it("that fails is an error, however it is waited for", async () => {
    const select = metricsCollector({ name: "select" }, () => new Query(() => Promise.reject(boom)));
    await expect(select()).rejects.toBe(boom);
    expect(await select().then(undefined, (error: unknown) => error)).toBe(boom);
    expect(await select().catch((error: unknown) => error)).toBe(boom);
    expect((await report())["select"]).toMatchObject({ calls: 3, errors: 3 });
  });

  it("that is as simple as can be, frozen, or throws works as it did", async () => {
    const simple = metricsCollector({ name: "simple" }, () => ({
      then: (resolve: (n: number) => void) => resolve(7),
    }));
    expect(await simple()).toBe(7);
    const rows = Object.freeze({ then: (resolve: (n: number) => void) => resolve(7) });
    const frozen = metricsCollector({ name: "frozen" }, () => rows);
    expect(await frozen()).toBe(7);
    const broken = metricsCollector({ name: "broken" }, () => ({
      then: () => {
        throw boom;
      },
    }));
    await expect(Promise.resolve(broken() as unknown as PromiseLike<void>)).rejects.toBe(boom);
    const samples = await report();
    expect(Object.entries(samples).map(([name, { calls, errors }]) => [name, calls, errors])).toEqual([
      ["simple", 1, 0],
      ["frozen", 1, 0],
      ["broken", 1, 1],
    ]);
  });

  it("that comes again and again carries no more for it", async () => {
    const query = new Query(async () => "rows");
    const select = metricsCollector({ name: "select" }, () => query);
    for (let i = 0; i < 100_000; i++) select();
    expect(await query).toBe("rows");
    expect([query.executed, metricsCollector.stats().seen]).toEqual([1, 100_000]);
  });

  it("that is a promise which waits to be asked is not asked", async () => {
    let started = 0;
    class LazyPromise<T> extends Promise<T> {
      override then<A = T, B = never>(
        onOk?: ((value: T) => A | PromiseLike<A>) | null,
        onError?: ((e: unknown) => B | PromiseLike<B>) | null,
      ): Promise<A | B> {
        started++;
        return super.then(onOk, onError);
      }
    }
    const work = metricsCollector({ name: "work" }, () => new LazyPromise<number>((resolve) => resolve(7)));
    const promise = work();
    expect(promise).toBeInstanceOf(LazyPromise);
    await sleep(5);
    expect([started, metricsCollector.stats().seen]).toEqual([0, 0]);
    expect(await promise).toBe(7);
    expect(metricsCollector.stats().seen).toBe(1);
  });

  it("whose then cannot be read is a result like any other", async () => {
    const object = {
      get then(): never {
        throw boom;
      },
    };
    const work = metricsCollector({ name: "work" }, () => object);
    expect(work() === object).toBe(true);
    expect(metricsCollector.stats().seen).toBe(1);
  });
});

describe("a generator", () => {
  it("is measured to its end", async () => {
    const count = metricsCollector(function* count(
      to: number,
    ): Generator<number, string, string | undefined> {
      for (let n = 0; n < to; n++) {
        const end = performance.now() + 5;
        while (performance.now() < end);
        yield n;
      }
      return "done";
    });
    const generator = count(3);
    expect(generator).toBeInstanceOf(count);
    expect(Object.prototype.toString.call(generator)).toBe("[object Generator]");
    expect(Object.keys(generator)).toEqual([]);
    expect(metricsCollector.stats().seen).toBe(0);
    expect([...generator]).toEqual([0, 1, 2]);
    expect(generator.next()).toEqual({ value: undefined, done: true });
    expect(await report()).toEqual({ count: about(1, 0, 15) });

    const manual = count(1);
    expect([manual.next(), manual.next("x")]).toEqual([
      { value: 0, done: false },
      { value: "done", done: true },
    ]);
  });

  it("that is left early, or ended by return or throw, has ended", async () => {
    let cleaned = 0;
    const count = metricsCollector({ name: "count" }, function* (): Generator<number, void> {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        cleaned++;
      }
    });
    for (const n of count()) if (n === 2) break;
    const returned = count();
    returned.next();
    expect(returned.return()).toEqual({ value: undefined, done: true });
    const thrown = count();
    thrown.next();
    expect(() => thrown.throw(boom)).toThrow(boom);
    const [first] = count();
    expect([first, cleaned]).toEqual([0, 4]);
    expect((await report())["count"]).toMatchObject({ calls: 4, errors: 1 });
  });

  it("that throws midway is an error", async () => {
    const count = metricsCollector({ name: "count" }, function* () {
      yield 1;
      throw boom;
    });
    expect(() => [...count()]).toThrow(boom);
    expect((await report())["count"]).toMatchObject({ calls: 1, errors: 1 });
  });

  it("delegates, and is taken by whatever takes iterators", async () => {
    const inner = metricsCollector({ name: "inner" }, function* () {
      yield* [1, 2];
    });
    const outer = metricsCollector({ name: "outer" }, function* () {
      yield* inner();
      yield 3;
    });
    expect(Array.from(outer())).toEqual([1, 2, 3]);
    expect(new Set(outer()).size).toBe(3);
    expect(await report()).toEqual({ inner: about(2, 0, 0), outer: about(2, 0, 0) });
  });

  it("may be async: to its end, left early, or failed midway", async () => {
    let cleaned = 0;
    const count = metricsCollector({ name: "count" }, async function* (to: number) {
      try {
        for (let n = 0; n < to; n++) {
          await sleep(10);
          yield n;
        }
        if (to === 1) throw boom;
      } finally {
        cleaned++;
      }
    });
    const seen: number[] = [];
    for await (const n of count(3)) seen.push(n);
    for await (const n of count(9)) if (n === 1) break;
    await expect(
      (async () => {
        for await (const n of count(1)) seen.push(n);
      })(),
    ).rejects.toBe(boom);
    expect([seen, cleaned]).toEqual([[0, 1, 2, 0], 3]);
    expect(await report()).toEqual({ count: about(3, 1, 60) });
  });
});

describe("a stream", () => {
  const chunks = (...texts: string[]) =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await sleep(10);
        const text = texts.shift();
        if (text === undefined) controller.close();
        else if (text === "boom") controller.error(boom);
        else controller.enqueue(new TextEncoder().encode(text));
      },
    });

  it("is measured to the head by default, and is the very one", async () => {
    const stream = chunks("a");
    const response = new Response(chunks("a"));
    const give = metricsCollector({ name: "give" }, <T>(value: T) => value);
    const load = metricsCollector({ name: "load" }, async <T>(value: T) => value);
    expect(give(stream)).toBe(stream);
    expect(await load(response)).toBe(response);
    expect(metricsCollector.stats().seen).toBe(2);
  });

  it("is measured to the end where that is asked for", async () => {
    await using collector = collect({ stream: "end" });
    const read = collector({ name: "read" }, () => chunks("a", "b"));
    const load = collector({ name: "load" }, async () => new Response(chunks("c", "d"), { status: 201 }));
    const stream = read();
    const response = await load();
    expect(collector.stats().seen).toBe(0);
    expect(await new Response(stream).text()).toBe("ab");
    expect([response.status, await response.text()]).toEqual([201, "cd"]);
    expect(await report(collector)).toEqual({ read: about(1, 0, 30), load: about(1, 0, 30) });
  });

  it("that fails is an error, that is given up is none, and isError judges what was given", async () => {
    await using collector = collect({ stream: "end", isError: (result: Response) => result.status >= 500 });
    const load = collector(
      { name: "load" },
      (status: number, ...texts: string[]) => new Response(chunks(...texts), { status }),
    );
    await expect(load(200, "a", "boom").text()).rejects.toBe(boom);
    await load(200, "a", "b").body!.cancel("enough");
    expect(await load(500, "sorry").text()).toBe("sorry");
    expect((await report(collector))["load"]).toMatchObject({ calls: 3, errors: 2 });
  });

  it("of a response that nobody else may make stays readable, and is measured to its head", async () => {
    await using collector = collect({ stream: "end" });
    // Some servers answer 999, and a real fetch gives it.
    const odd = new Response("go away");
    Object.defineProperty(odd, "status", { value: 999 });
    const load = collector({ name: "load" }, async () => odd);
    expect(await (await load()).text()).toBe("go away");
    expect(collector.stats().seen).toBe(1);
  });

  it("without a body, or read by somebody else, is measured to its head", async () => {
    await using collector = collect({ stream: "end" });
    const locked = chunks("a");
    locked.getReader();
    const give = collector({ name: "give" }, <T>(value: T) => value);
    const empty = new Response(null, { status: 204 });
    expect([give(empty), give(locked), give(7), give(undefined)]).toEqual([empty, locked, 7, undefined]);
    expect(collector.stats().seen).toBe(4);
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

function caught(fn: () => unknown): unknown {
  try {
    fn();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It did not throw.");
}

function byName(a: string | symbol, b: string | symbol): number {
  return String(a) < String(b) ? -1 : 1;
}
