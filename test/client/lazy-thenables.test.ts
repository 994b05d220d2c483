/** Thenables that do nothing until they are awaited. */
/* oxlint-disable unicorn/no-thenable -- they are what this is about */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { metricsCollector, report, about, boom } from "./shapes.ts";

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
