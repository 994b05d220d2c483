import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { deleteSeries } from "../../src/admin/delete-series.ts";
import { app } from "../../src/app.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import { keptLimits } from "../../src/read/kept.ts";
import { retain } from "../../src/retention/retain.ts";
import { dbWith, envWith } from "../faults.ts";
import { acknowledged, carryToD1 } from "../worker.ts";

const MINUTE = 60_000;
const NOW = Date.UTC(2040, 0, 1, 12, 30, 10);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(NOW);
});
afterEach(() => {
  vi.useRealTimers();
});

/** The calls of each function in the range, and the rows that D1 read for the answer. */
async function ask(range = "&from=-1h&points=60"): Promise<{ calls: Record<string, number>; rows: number }> {
  let rows = 0;
  const DB = dbWith(async (real, batch) => {
    const results = await real(batch);
    for (const { meta } of results) rows += meta.rows_read;
    return results;
  });
  const response = await app.request(`/metrics?limit=100${range}`, {}, envWith({ DB }));
  const { functions } = await response.json<FunctionList>();
  return { calls: Object.fromEntries(functions.map((row) => [row.function, row.calls])), rows };
}

const call = (name: string, minutesAgo: number) => ({
  function: name,
  durationMs: 5,
  at: Date.now() - minutesAgo * MINUTE,
});

describe("rows of D1 that are kept", () => {
  it("are used again as long as nothing reaches D1, and what waits is added", async () => {
    await acknowledged([call("a", 3), call("b", 50)]);
    await carryToD1();
    expect((await ask()).rows).toBeGreaterThan(0);
    expect(await ask()).toEqual({ calls: { a: 1, b: 1 }, rows: 0 });
    await acknowledged([call("a", 1), call("c", 1)]);
    expect(await ask()).toEqual({ calls: { a: 2, b: 1, c: 1 }, rows: 0 });
    // Ranges that moved along, and those within, need no other rows.
    vi.setSystemTime(NOW + 2 * MINUTE);
    expect(await ask("&from=-20m&points=20")).toEqual({ calls: { a: 2, b: 0, c: 1 }, rows: 0 });
  });

  it("are completed with flushes that have reached D1, without reading", async () => {
    await acknowledged([call("a", 3)]);
    await carryToD1();
    await ask();
    await acknowledged([call("a", 1), call("a", 30)]);
    await carryToD1();
    expect(await ask()).toEqual({ calls: { a: 3 }, rows: 0 });
    await acknowledged([call("new", 1)]);
    await carryToD1();
    // Only D1 knows the id of a new function.
    expect((await ask()).calls).toEqual({ a: 3, new: 1 });
    expect((await ask()).rows).toBe(0);
  });

  it("lose what is deleted, before and after D1 has deleted it", async () => {
    await acknowledged([call("a", 3), call("b", 3)]);
    await carryToD1();
    await ask();
    await deleteSeries(env, { service: "shop", function: "a" });
    expect((await ask()).calls).toEqual({ b: 1 });
    await acknowledged([call("a", 1)]);
    await carryToD1();
    expect((await ask()).calls).toEqual({ a: 1, b: 1 });
  });

  it("hold the same calls after hours were closed", async () => {
    await acknowledged([call("a", 90), call("a", 10)]);
    await carryToD1();
    expect((await ask("&from=-3h")).calls).toEqual({ a: 2 });
    await retain(env);
    expect((await ask("&from=-3h")).calls).toEqual({ a: 2 });
    await acknowledged([call("a", 90)]);
    await carryToD1();
    expect((await ask("&from=-3h")).calls).toEqual({ a: 3 });
  });

  it("are compared with D1's totals, so that another change of D1 is noticed", async () => {
    await acknowledged([call("a", 3)]);
    await carryToD1();
    await ask();
    await env.DB.exec("UPDATE functions SET calls = calls + 4");
    await env.DB.exec("UPDATE rollups SET calls = calls + 4");
    expect((await ask()).calls).toEqual({ a: 1 });
    vi.setSystemTime(NOW + keptLimits.comparedAfterMs + 1000);
    expect((await ask()).calls).toEqual({ a: 5 });
  });

  it("are limited: more is read from D1 each time", async () => {
    await acknowledged([call("a", 3), call("b", 3)]);
    await carryToD1();
    const { functions } = keptLimits;
    keptLimits.functions = 1;
    try {
      await ask();
      expect(await ask()).toEqual({ calls: { a: 1, b: 1 }, rows: expect.any(Number) });
      expect((await ask()).rows).toBeGreaterThan(0);
    } finally {
      keptLimits.functions = functions;
    }
  });
});
