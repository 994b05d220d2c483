/** Thenables as libraries make them: proxies, chains with handlers of their own, query builders of drizzle. */
/* oxlint-disable unicorn/no-thenable -- they are what this is about */
import { setTimeout as sleep } from "node:timers/promises";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetricsCollector, type DecoratingCollector } from "../../client/decorators.ts";
import { FakeServer, type Sample } from "./fake-server.ts";

let server: FakeServer;
let metricsCollector: DecoratingCollector;

beforeEach(() => {
  server = new FakeServer();
  metricsCollector = collect();
});

afterEach(() => metricsCollector.close({ timeoutMs: 0 }));

function collect(): DecoratingCollector {
  return createMetricsCollector({ url: "http://collector", service: "shop", fetcher: server.fetcher });
}

async function report(collector = metricsCollector): Promise<Record<string, Sample>> {
  server.requests.length = 0;
  await collector.flush();
  // A function has two sums if the minute turned between its calls.
  const byFunction: Record<string, Sample> = {};
  for (const sample of server.requests.flatMap((request) => request.samples)) {
    const known = byFunction[sample.function];
    byFunction[sample.function] = known
      ? { ...sample, calls: known.calls + sample.calls, errors: known.errors + sample.errors }
      : sample;
  }
  return byFunction;
}

const boom = new RangeError("boom");

describe("a proxy that gives a then of its own making", () => {
  const lazily = (run: () => Promise<unknown>): PromiseLike<unknown> =>
    new Proxy({} as PromiseLike<unknown>, {
      get: (target, key) =>
        key === "then" ? (...handlers: []) => run().then(...handlers) : (Reflect.get(target, key) as unknown),
    });

  it("comes back as it is, can be awaited, and counts as a call", async () => {
    const rows = lazily(async () => "rows");
    const select = metricsCollector({ name: "select" }, () => rows);
    expect(select() === rows).toBe(true);
    expect(await select()).toBe("rows");
    const failing = metricsCollector({ name: "failing" }, () => lazily(() => Promise.reject(boom)));
    await expect(Promise.resolve(failing())).rejects.toBe(boom);
    const samples = await report();
    expect(Object.entries(samples).map(([name, { calls }]) => [name, calls])).toEqual([
      ["select", 2],
      ["failing", 1],
    ]);
  });
});

describe("then", () => {
  it("gets all that it is given, at once, and what it gives comes back", async () => {
    const given: unknown[][] = [];
    const chain = { isChain: true };
    const ajax = metricsCollector({ name: "ajax" }, () => ({
      then(...args: unknown[]) {
        given.push([this, ...args]);
        return chain;
      },
    }));
    const request = ajax();
    const progress = () => {};
    expect(
      request.then(
        () => {},
        () => {},
        progress,
        "more",
      ),
    ).toBe(chain);
    expect(given).toEqual([[request, expect.any(Function), expect.any(Function), progress, "more"]]);
    expect(given[0]![3]).toBe(progress);
  });

  it("calls its handlers as it did: with all arguments, on what it calls them on, and with what they give", () => {
    const ajax = metricsCollector({ name: "ajax" }, () => ({
      then: (ok: Function, fail: Function) => [
        ok.call("context", "data", "success", 200) as unknown,
        fail.call("context", boom, "error") as unknown,
      ],
    }));
    const handler = function (this: unknown, ...args: unknown[]) {
      return [this, ...args];
    };
    expect(ajax().then(handler, handler)).toEqual([
      ["context", "data", "success", 200],
      ["context", boom, "error"],
    ]);
    expect(metricsCollector.stats().seen).toBe(1);
  });

  it("may be given no handlers, or what are none", async () => {
    const make = metricsCollector({ name: "make" }, (fails: boolean) => {
      const promise = fails ? Promise.reject(boom) : Promise.resolve(7);
      return { then: (...handlers: unknown[]) => promise.then(...(handlers as [])) };
    });
    expect(await make(false).then()).toBe(7);
    expect(await make(false).then(null, "none")).toBe(7);
    await expect(make(true).then(undefined, 7)).rejects.toBe(boom);
    expect((await report())["make"]).toMatchObject({ calls: 3, errors: 1 });
  });
});

describe("a query builder of drizzle", () => {
  const users = sqliteTable("users", { id: integer("id").primaryKey(), name: text("name") });
  let executed: string[];
  let db: ReturnType<typeof drizzle>;

  beforeEach(() => {
    executed = [];
    db = drizzle(async (sql, parameters) => {
      executed.push(sql);
      await sleep(20);
      if (parameters.includes(13)) throw boom;
      return { rows: [[1, "Ann"]] };
    });
  });

  it("is untouched and not executed until it is awaited, and measured then", async () => {
    const list = metricsCollector(function list() {
      return db.select().from(users);
    });
    const query = list();
    expect(query.limit(3).toSQL().sql).toMatch(/limit/);
    await sleep(30);
    expect([executed.length, metricsCollector.stats().seen]).toEqual([0, 0]);
    expect(await query).toEqual([{ id: 1, name: "Ann" }]);
    expect(executed).toEqual([expect.stringMatching(/limit/)]);
    const { list: sample } = await report();
    expect(sample).toMatchObject({ calls: 1, errors: 0, unmeasured: 0 });
    expect(sample!.sumMs).toBeGreaterThanOrEqual(18);
  });

  it("that two wrapped functions hand on counts for both, with its duration and its error", async () => {
    const repository = metricsCollector.all(
      {
        base: (limit: number) => db.select().from(users).limit(limit).$dynamic(),
        byLimit: (limit: number) => repository.base(limit).offset(1),
      },
      { prefix: "repo" },
    );
    expect(await repository.byLimit(1)).toEqual([{ id: 1, name: "Ann" }]);
    await expect(Promise.resolve(repository.byLimit(13))).rejects.toMatchObject({ cause: boom });
    expect(executed).toHaveLength(2);
    const samples = await report();
    for (const name of ["repo.base", "repo.byLimit"]) {
      expect(samples[name]).toMatchObject({ calls: 2, errors: 1, unmeasured: 0 });
      expect(samples[name]!.minMs).toBeGreaterThanOrEqual(18);
    }
  });
});

it("a generator wrapped by two collectors counts for both, with its duration and its error", async () => {
  await using another = collect();
  const both = another(
    metricsCollector(function* count() {
      const end = performance.now() + 5;
      while (performance.now() < end) yield 1;
      throw boom;
    }),
  );
  expect(() => [...both()]).toThrow(boom);
  for (const collector of [metricsCollector, another]) {
    const { count } = await report(collector);
    expect(count).toMatchObject({ calls: 1, errors: 1 });
    expect(count!.sumMs).toBeGreaterThanOrEqual(4.9);
  }
});
