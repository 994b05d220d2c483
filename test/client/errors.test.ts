/** What is thrown, and what counts as an error. */
import { setTimeout as sleep } from "node:timers/promises";
import { createContext, runInContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { metricsCollector, collect, report, about, boom, caught } from "./shapes.ts";

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
