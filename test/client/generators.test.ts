/** Generators are measured to their end. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { metricsCollector, report, about, boom } from "./shapes.ts";

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
