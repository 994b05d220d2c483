import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { deleteSeries } from "../../src/admin/delete-series.ts";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { retain } from "../../src/retention/retain.ts";
import { dbAway, dbLosingAnswers, dbWith, envWith } from "../faults.ts";
import {
  acknowledged,
  alarmTime,
  calls,
  callsInD1,
  carryToD1,
  deliver,
  fetchWorker,
  get,
  getJson,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const call = (name: string) => ({ function: name, durationMs: 5, error: { name: "E", message: name } });

async function seal(): Promise<string[]> {
  await letTimePass();
  await ringAlarm();
  return sentMessages();
}

const remove = (path: string) => fetchWorker(path, { method: "DELETE" });

const rows = (table: string) => env.DB.prepare(`SELECT count(*) AS rows FROM ${table}`).first("rows");

describe("DELETE /metrics/:service/:function", () => {
  it("deletes the calls that are in the buffer, on their way and in D1, and nothing else", async () => {
    await acknowledged([call("gone"), call("stays")]);
    await carryToD1();
    await acknowledged([call("gone"), call("stays")]);
    const [inQueue] = await seal();
    await acknowledged([call("gone"), call("stays")]);
    const response = await remove("/metrics/shop/gone");
    expect(await response.json()).toEqual({
      deleted: { functions: 1, calls: 3, errors: 3 },
      isComplete: true,
    });
    expect(await calls()).toEqual({ stays: 3 });
    // The queue holds a copy of the flush from before the deletion.
    await deliver([inQueue]);
    expect(await calls()).toEqual({ stays: 3 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ stays: 3 });
    expect((await get("/metrics/shop/gone")).status).toBe(404);
    expect(await getJson("/search?q=gone")).toMatchObject({ results: [] });
  });

  it("counts calls that are acknowledged afterwards", async () => {
    await acknowledged([call("back")]);
    await carryToD1();
    await remove("/metrics/shop/back");
    await acknowledged([call("back")]);
    expect(await calls()).toEqual({ back: 1 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ back: 1 });
  });

  it("deletes one module only if one is named", async () => {
    await acknowledged([
      { ...call("a"), module: "x" },
      { ...call("a"), module: "y" },
    ]);
    await carryToD1();
    expect((await remove("/metrics/shop/a?module=x")).status).toBe(200);
    expect(await getJson("/metrics/shop/a")).toMatchObject({ modules: ["y"], totals: { calls: 1 } });
  });

  it("deletes a function and a service whose names a path cannot hold", async () => {
    const named = (name: string) => ({ ...call(name), module: ".." });
    await acknowledged([named(".."), named("."), named("stays")]);
    await carryToD1();
    expect((await remove("/function?service=shop&function=..&module=other")).status).toBe(404);
    expect((await remove("/function?service=shop&function=..&module=..")).status).toBe(200);
    expect(await calls()).toEqual({ ".": 1, stays: 1 });
    expect((await remove("/function?service=shop")).status).toBe(400);
    await acknowledged([call("a")], { service: ".." });
    expect((await remove("/service?service=..")).status).toBe(200);
    expect(await calls()).toEqual({ ".": 1, stays: 1 });
  });

  it("answers 404 for what is not there", async () => {
    await acknowledged([call("a")]);
    expect((await remove("/metrics/shop/b")).status).toBe(404);
    expect((await remove("/metrics/bank")).status).toBe(404);
    expect(await calls()).toEqual({ a: 1 });
  });

  it.each([
    ["is away", dbAway()],
    ["loses its answer", dbLosingAnswers()],
  ])("holds in every read while D1 %s, and reaches D1 by itself", async (_, db) => {
    await acknowledged([call("gone"), call("stays")]);
    await carryToD1();
    const failing = envWith({
      DB: dbWith(async (real, statements) =>
        statements.length > 3 ? db.batch(statements) : real(statements),
      ),
    });
    expect(await deleteSeries(failing, { service: "shop", function: "gone" })).toMatchObject({
      isComplete: false,
    });
    expect(await calls()).toEqual({ stays: 1 });
    await acknowledged([call("gone")]);
    expect(await calls()).toEqual({ gone: 1, stays: 1 });
    expect(await alarmTime()).not.toBeNull();
    await carryToD1();
    expect(await calls()).toEqual({ gone: 1, stays: 1 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ gone: 1, stays: 1 });
  });

  it("seals nothing before D1 has the deletion, so that the deletion cannot take later calls", async () => {
    await acknowledged([call("a")]);
    await carryToD1();
    await deleteSeries(envWith({ DB: dbThatOnlyReads() }), { service: "shop", function: "a" });
    await acknowledged([call("a")]);
    const messages = await seal();
    expect(messages.map((message) => JSON.parse(message) as object)).toMatchObject([{ deltas: [] }]);
    await deliver(messages);
    expect(await calls()).toEqual({ a: 1 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ a: 1 });
  });
});

describe("DELETE /metrics/:service", () => {
  it("frees the service's places for functions", async () => {
    const many = Array.from({ length: bufferLimits.functionsPerService }, (_, i) => call(`f${i}`));
    await acknowledged(many);
    await acknowledged([call("one more")]);
    expect(await getJson("/health")).toMatchObject({ overflow: ["shop"] });
    const { deleted } = await (await remove("/metrics/shop")).json<{ deleted: { functions: number } }>();
    expect(deleted.functions).toBe(bufferLimits.functionsPerService + 1);
    await acknowledged([call("one more")]);
    expect(await calls()).toEqual({ "one more": 1 });
    expect(await getJson("/health")).toMatchObject({ overflow: [] });
  });

  it("leaves no row once the retention job has run, and no id is used twice before", async () => {
    await acknowledged([call("a"), call("b")]);
    await carryToD1();
    await remove("/metrics/shop");
    await acknowledged([call("c")]);
    await carryToD1();
    expect(await env.DB.prepare("SELECT id FROM functions").first("id")).toBe(3);
    expect(await getJson("/metrics/shop/c?from=-1h")).toMatchObject({ range: { calls: 1 } });
    await retain(env);
    expect(await Promise.all(["deletions", "deleted_functions", "rollups", "failures"].map(rows))).toEqual([
      0, 0, 1, 1,
    ]);
    expect(await rows("search_failures")).toBe(1);
  });
});

/** D1 that answers reads and refuses to apply. */
function dbThatOnlyReads(): D1Database {
  return dbWith(async (real, statements) => {
    if (statements.length > 3) throw new Error("D1_ERROR: Network connection lost.");
    return real(statements);
  });
}
