/** Standard decorators, and objects wrapped as a whole. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type DecoratingCollector } from "../../client/decorators.ts";
import { createMetricsCollector as createPlainCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";
import type * as Decorated from "./fixtures/decorated.ts";

const FIXTURE = fileURLToPath(new URL("fixtures/decorated.ts", import.meta.url));

let folder: string;
let server: FakeServer;
let metricsCollector: DecoratingCollector;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "decorated-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(() => {
  server = new FakeServer();
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
  });
});

afterEach(() => metricsCollector.close({ timeoutMs: 0 }));

async function counted(): Promise<Record<string, number>> {
  await metricsCollector.flush();
  const { calls } = server;
  for (const name of Object.keys(server.counted)) delete server.counted[name];
  return calls;
}

async function compiledByEsbuild(): Promise<string> {
  const { code } = await transform(await readFile(FIXTURE, "utf8"), {
    loader: "ts",
    target: "es2022",
    keepNames: true,
  });
  const path = join(folder, "esbuild.mjs");
  await writeFile(path, code);
  return path;
}

async function compiledByTypeScript(): Promise<string> {
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  const options = [
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--ignoreConfig",
    "--noCheck",
    "--outDir",
    folder,
  ];
  await promisify(execFile)(process.execPath, [tsc, ...options, FIXTURE]).catch(() => {});
  const path = join(folder, "typescript.mjs");
  await writeFile(path, await readFile(join(folder, "test/client/fixtures/decorated.js"), "utf8"));
  return path;
}

describe.each([
  ["esbuild", compiledByEsbuild],
  ["TypeScript", compiledByTypeScript],
])("a decorator compiled by %s", (_, compile) => {
  let module: typeof Decorated;

  beforeAll(async () => {
    module = (await import(pathToFileURL(await compile()).href)) as typeof Decorated;
  }, 30_000);

  it("counts a method under the name of its class", async () => {
    const { Checkout } = module.declare(metricsCollector);
    const checkout = new Checkout();
    expect(await checkout.submit(5)).toBe(7);
    expect(() => checkout.fail()).toThrow(module.boom);
    expect(await new Checkout().submit(1)).toBe(3);
    expect(checkout.submit.name).toBe("submit");
    await metricsCollector.flush();
    const samples = server.requests.flatMap((request) => request.samples);
    expect(samples.map(({ function: name, calls, errors }) => [name, calls, errors])).toEqual([
      ["Checkout.submit", 2, 0],
      ["Checkout.fail", 1, 1],
    ]);
  });

  it("counts getters, setters and static methods", async () => {
    const { Checkout } = module.declare(metricsCollector);
    const checkout = new Checkout();
    expect(checkout.total).toBe(6);
    checkout.total = 30;
    expect([checkout.items, checkout.total]).toEqual([10, 30]);
    expect(Checkout.create("a")).toBeInstanceOf(Checkout);
    expect([Checkout.count, Checkout.created]).toEqual([1, ["a"]]);
    expect(await counted()).toEqual({ "Checkout.total": 3, "Checkout.create": 1 });
  });

  it("counts private methods, static ones too", async () => {
    const { Checkout } = module.declare(metricsCollector);
    expect(new Checkout().discounted(50)).toBe(1);
    expect(Checkout.reveal()).toBe(42);
    expect(await counted()).toEqual({ "Checkout.#discount": 1, "Checkout.#secret": 1 });
  });

  it("takes options, and sees a generator to its end", async () => {
    const { Checkout } = module.declare(metricsCollector);
    expect([...new Checkout().pages()]).toEqual([1, 2]);
    expect(await counted()).toEqual({ "checkout.pages": 1 });
  });

  it("counts what is inherited or overridden where it was declared, whoever calls it first", async () => {
    const { Checkout, Express } = module.declare(metricsCollector);
    const express = new Express();
    expect(() => express.fail()).toThrow(module.boom);
    expect(await express.submit(5)).toBe(70);
    expect(express.total).toBe(6);
    expect(Express.create("b")).toBeInstanceOf(Express);
    expect(new Checkout().total).toBe(6);
    expect(await counted()).toEqual({
      "Checkout.fail": 1,
      "Express.submit": 1,
      "Checkout.submit": 1,
      "Checkout.total": 2,
      "Checkout.create": 1,
    });
  });

  it("counts a method called on nothing under its own name, until it is called on something", async () => {
    const { Checkout } = module.declare(metricsCollector);
    const failOnNothing = () => Checkout.prototype.fail.call(undefined as never);
    expect(failOnNothing).toThrow(module.boom);
    expect(() => new Checkout().fail()).toThrow(module.boom);
    expect(failOnNothing).toThrow(module.boom);
    expect(await counted()).toEqual({ fail: 1, "Checkout.fail": 2 });
  });

  it("on a class with a name of its own uses that", async () => {
    const { Minified } = module.declare(metricsCollector);
    expect(new Minified().write()).toBe(1);
    expect(await counted()).toEqual({ "Diary.write": 1 });
  });

  it("on a class counts every method of its own, and leaves the class what it is", async () => {
    const { Ledger, Journal } = module.declare(metricsCollector);
    expect([Ledger.name, Journal.name]).toEqual(["Ledger", "Journal"]);
    const ledger = Ledger.open().add(1).add(2);
    expect([ledger.size, Ledger.books, [...ledger]]).toEqual([2, 1, [1, 2]]);
    expect(new Journal().add(3).constructor).toBe(Journal);
    expect(new Journal().add(4).print()).toBe("4");
    expect(await counted()).toEqual({
      "Ledger.open": 1,
      "Ledger.add": 4,
      "Ledger.Symbol(Symbol.iterator)": 2,
      "Journal.print": 1,
    });
    expect(Object.getOwnPropertyDescriptor(Ledger.prototype, "add")).toMatchObject({
      configurable: true,
      enumerable: false,
      writable: true,
    });
  });
});

describe("all", () => {
  it("counts every method of an object, those of its classes too, called by themselves or by each other", async () => {
    class Base {
      ping() {
        return "pong";
      }
    }
    class Repository extends Base {
      readonly #rows = [1, 2, 3];
      limit = 2;
      get size(): number {
        throw new Error("Nobody asked for it.");
      }
      find(n: number) {
        return this.#rows.slice(0, n);
      }
      async first() {
        return this.find(1)[0];
      }
    }
    const repository = new Repository();
    expect(metricsCollector.all(repository, { prefix: "repo" })).toBe(repository);
    expect(repository.find(2)).toEqual([1, 2]);
    expect(await repository.first()).toBe(1);
    expect(repository.ping()).toBe("pong");
    expect(repository.constructor).toBe(Repository);
    new Repository().find(1);
    expect(await counted()).toEqual({ "repo.find": 2, "repo.first": 1, "repo.ping": 1 });
  });

  it("takes a plain object and options, wraps nothing twice, and leaves values, classes and what is fixed alone", async () => {
    class Value {
      readonly of = 7;
    }
    const fixed = Object.defineProperty({} as { method(): number }, "method", { value: () => 7 });
    const api = metricsCollector.all(
      Object.assign(fixed, {
        Value,
        limit: 5,
        get: (ok: boolean) => ({ ok }),
        wrapped: metricsCollector(function alone() {}),
      }),
      { isError: ({ ok }) => !ok, module: "api" },
    );
    expect(api.get(false)).toEqual({ ok: false });
    api.wrapped();
    expect([api.Value, api.limit, api.method()]).toEqual([Value, 5, 7]);
    metricsCollector.all(api, { prefix: "again" });
    api.get(true);
    await metricsCollector.flush();
    const samples = server.requests.flatMap((request) => request.samples);
    expect(samples.map((s) => [s.module, s.function, s.calls, s.errors])).toEqual([
      ["api", "get", 2, 1],
      ["", "alone", 1, 0],
    ]);
  });

  it("takes an object that is frozen, which stays as it is", () => {
    const frozen = Object.freeze({ get: () => 7 });
    expect(metricsCollector.all(frozen).get()).toBe(7);
  });
});

describe("a wrapper is like the original", () => {
  it("in its metadata, whatever the order of decorators", () => {
    const all = new WeakMap<object, Map<unknown, unknown>>();
    const metadata = {
      getOwnMetadataKeys: (target: object) => [...(all.get(target)?.keys() ?? [])],
      getOwnMetadata: (key: unknown, target: object) => all.get(target)?.get(key),
      defineMetadata: (key: unknown, value: unknown, target: object) => {
        if (!all.has(target)) all.set(target, new Map());
        all.get(target)!.set(key, value);
      },
    };
    Object.assign(Reflect, metadata);
    try {
      const handler = () => {};
      metadata.defineMetadata("roles", ["admin"], handler);
      const wrapped = metricsCollector("handler", handler);
      metadata.defineMetadata("path", "/", wrapped);
      expect([metadata.getOwnMetadata("roles", wrapped), metadata.getOwnMetadata("path", wrapped)]).toEqual([
        ["admin"],
        "/",
      ]);
    } finally {
      for (const key of Object.keys(metadata)) Reflect.deleteProperty(Reflect, key);
    }
  });
});

describe("all", () => {
  it("wraps no method of Function, and one without a prototype", () => {
    const odd = Object.setPrototypeOf(() => 7, null) as () => number;
    class Service {
      static run = () => 1;
      static odd = odd;
    }
    metricsCollector.all(Service, { prefix: "Service" });
    expect(Object.hasOwn(Service, "bind")).toBe(false);
    expect(Object.hasOwn(Service, "apply")).toBe(false);
    expect([Service.run(), Service.odd()]).toEqual([1, 7]);
    expect(metricsCollector.stats().seen).toBe(2);
  });

  it("leaves an object alone that keeps something else than what it is given, such as localStorage", () => {
    const kept = new Map<PropertyKey, string>();
    class Storage {
      getItem(key: string) {
        return kept.get(key);
      }
    }
    const storage = new Proxy(new Storage(), {
      defineProperty: (_, key, { value }) => {
        kept.set(key, String(value));
        return true;
      },
      get: (target, key): unknown => kept.get(key) ?? Reflect.get(target, key),
      deleteProperty: (_, key) => kept.delete(key) || true,
    });
    metricsCollector.all(storage);
    expect([...kept]).toEqual([]);
  });
});

it("a collector of the main entry decorates nothing, and says where decorators are", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const plain = createPlainCollector({ url: "http://collector", service: "shop" }) as unknown as (
    ...args: unknown[]
  ) => unknown;
  class Checkout {
    submit() {}
  }
  const { submit } = Checkout.prototype;
  expect(plain(submit, { kind: "method", name: "submit" })).toBeUndefined();
  expect(plain(Checkout, { kind: "class", name: "Checkout" })).toBeUndefined();
  const descriptor = Object.getOwnPropertyDescriptor(Checkout.prototype, "submit");
  expect(plain(Checkout.prototype, "submit", descriptor)).toBeUndefined();
  expect(warn.mock.calls).toEqual([
    ["metrics-collector: For decorators, import from metrics-collector-client/decorators."],
  ]);
  warn.mockRestore();
});
