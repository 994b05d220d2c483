import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { bufferLimits as limits } from "../../src/buffer/limits.ts";
import { OVERFLOW } from "../../src/buffer/known-functions.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  deliver,
  getJson,
  letTimePass,
  metrics,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const functions = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ function: `f${from + i}`, durationMs: 1 }));

/** How many rows of the buffer's storage `ask` reads, without those that waking the buffer reads. */
async function rowsReadBy(ask: () => Promise<unknown>): Promise<number> {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  await runInDurableObject(buffer(), (_, { storage }) => {
    const ofSql = Object.getPrototypeOf(storage.sql) as SqlStorage;
    const { exec } = ofSql;
    restore = () => void (ofSql.exec = exec);
    ofSql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
      const cursor = exec.apply(this, args);
      cursors.push(cursor);
      return cursor;
    } as typeof exec;
  });
  await ask();
  return runInDurableObject(buffer(), () => cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0));
}

let restore = () => {};
afterEach(() => restore());

async function overflowInHealth(): Promise<string[]> {
  const response = await exports.default.fetch("https://metrics.example/health");
  return (await response.json<{ overflow: string[] }>()).overflow;
}

describe("functions of one service", () => {
  const cap = limits.functionsPerService;

  it("are counted separately up to the cap", async () => {
    await acknowledged(functions(cap));
    const known = await calls();
    expect(Object.keys(known)).toHaveLength(cap);
    expect(known).not.toHaveProperty(OVERFLOW);
    expect(await overflowInHealth()).toEqual([]);
  });

  it("are counted together above the cap; known ones keep their names, and no call is lost", async () => {
    await acknowledged(functions(cap - 1));
    await acknowledged(functions(10, cap - 2));
    await evictDurableObject(buffer());
    await acknowledged([...functions(3, cap - 3), ...functions(5, 5_000)]);
    const known = await calls();
    expect(Object.keys(known)).toHaveLength(cap + 1);
    // The first new name is within the cap. The other eight, and the five of the third batch, are above it.
    expect(known[OVERFLOW]).toBe(8 + 5);
    expect([known[`f${cap - 3}`], known[`f${cap - 2}`], known[`f${cap - 1}`]]).toEqual([2, 3, 2]);
    const total = Object.values(known).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(cap - 1 + 10 + 8);
    expect(await overflowInHealth()).toEqual(["shop"]);

    await letTimePass();
    await ringAlarm();
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual(known);
  });

  it("that the client counted together itself take no place", async () => {
    await acknowledged([{ function: OVERFLOW, calls: 1, unmeasured: 1 }]);
    await acknowledged(functions(cap));
    const known = await calls();
    expect(Object.keys(known)).toHaveLength(cap + 1);
    expect(known[OVERFLOW]).toBe(1);
  });

  it("of another service are not affected by the overflow", async () => {
    await acknowledged(functions(cap + 1));
    await acknowledged(functions(1), { service: "bank" });
    expect((await metrics()).filter(({ service }) => service === "bank")).toMatchObject([
      { function: "f0", calls: 1 },
    ]);
    expect(await overflowInHealth()).toEqual(["shop"]);
  });
});

it("health names the services above the cap without reading all known functions", async () => {
  await acknowledged(functions(limits.functionsPerService + 1));
  await acknowledged(functions(limits.functionsPerService), { service: "bank" });
  await evictDurableObject(buffer());
  expect(await rowsReadBy(() => buffer().health())).toBeLessThan(30);
  expect((await buffer().health()).overflow).toEqual(["shop"]);
});

describe("services", () => {
  it("are counted separately up to the cap, and together above it", async () => {
    for (let i = 0; i < limits.services; i++) await acknowledged(functions(1), { service: `s${i}` });
    expect(await overflowInHealth()).toEqual([]);
    await acknowledged(functions(2), { service: "one too many", key: "k" });
    await acknowledged(functions(2), { service: "another", key: "k" });
    await acknowledged(functions(2), { service: "another", key: "k" });
    await acknowledged(functions(2), { service: "s0" });
    const rows = await metrics();
    expect(rows.filter(({ service }) => service === OVERFLOW)).toMatchObject([
      { function: OVERFLOW, calls: 4 },
    ]);
    expect(rows.filter(({ service }) => service === "s0")).toMatchObject([{ calls: 2 }, { calls: 1 }]);
    expect(new Set(rows.map(({ service }) => service)).size).toBe(limits.services + 1);
    expect(await getJson("/health")).toMatchObject({ overflow: [], overflowOfServices: true });
  });
});
