import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { retain } from "../../src/retention/retain.ts";
import { applyFlushes } from "../../src/store/apply-flushes.ts";
import { delta, inD1 } from "../flushes.ts";
import { acknowledged, carryToD1, deliver, fetchWorker, getJson, sentMessages } from "../worker.ts";
import { Store, STORE_URL } from "./store.ts";

const HOUR = 3_600_000;
const sink = () => env.SINKS.getByName("copy");
let store: Store;

beforeEach(() => {
  store = new Store();
  store.open();
});

afterEach(async () => {
  vi.useRealTimers();
  await sink().remove("copy");
  vi.unstubAllGlobals();
});

async function put(configuration: object, name = "copy"): Promise<Response> {
  return fetchWorker(`/sinks/${name}`, { method: "PUT", body: JSON.stringify(configuration) });
}

async function addSink(): Promise<void> {
  const response = await put({ type: "webhook", url: STORE_URL });
  expect(response.status).toBe(200);
}

/** Lets the sink work until it has nothing to do. */
async function catchUp(): Promise<void> {
  for (let i = 0; i < 20; i++) await runDurableObjectAlarm(sink());
}

const callsInStore = () =>
  store
    .parts()
    .map(({ function: name, calls }) => `${name} ${calls}`)
    .sort();
const feedRows = () => env.DB.prepare('SELECT count(*) AS "rows" FROM feed').first("rows");

describe("without a sink", () => {
  it("flushes write nothing for sinks, and no request is made", async () => {
    await acknowledged([{ function: "a", durationMs: 5 }]);
    await carryToD1();
    expect(await feedRows()).toBe(0);
    expect(store.requests).toEqual([]);
    const stored = await runInDurableObject(sink(), async (_, { storage }) => [
      await storage.getAlarm(),
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    ]);
    expect(stored).toEqual([null, []]);
  });
});

describe("a sink", () => {
  it("sends what D1 had before, and then what changes", async () => {
    await inD1(delta(Date.now(), { name: "before", calls: 3 }));
    await addSink();
    await catchUp();
    expect(callsInStore()).toEqual(["shop/before 3"]);
    await acknowledged([{ function: "after", durationMs: 5 }]);
    await carryToD1();
    await catchUp();
    expect(callsInStore()).toEqual(["shop/after 1", "shop/before 3"]);
    expect((await getJson<{ sinks: object[] }>("/sinks")).sinks).toMatchObject([
      {
        name: "copy",
        state: "caught up",
        lagRows: 0,
        refused: 0,
        configuration: { type: "webhook", url: new URL(STORE_URL).origin },
      },
    ]);
  });

  it("is woken by the consumer", async () => {
    await addSink();
    await catchUp();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    await acknowledged([{ function: "a", durationMs: 5 }]);
    await deliver(await sentMessages());
    await carryToD1();
    const at = await runInDurableObject(sink(), (_, { storage }) => storage.getAlarm());
    expect(at).toBeLessThanOrEqual(Date.now());
  });

  it("sends a row again after a lost answer, and the store has it once", async () => {
    await addSink();
    await catchUp();
    await inD1(delta(Date.now(), { calls: 2 }));
    store.fates = ["taken, and its answer is lost"];
    await runDurableObjectAlarm(sink());
    await evictDurableObject(sink());
    await catchUp();
    expect(store.requests).toHaveLength(2);
    expect(callsInStore()).toEqual(["shop/a 2"]);
  });

  it("is told on /health when its store refuses the configuration, and goes on by itself", async () => {
    await addSink();
    await catchUp();
    await inD1(delta(Date.now()));
    store.fates = ["refused"];
    await runDurableObjectAlarm(sink());
    const { problems, sinks } = await getJson<{ problems: string[]; sinks: object[] }>("/health", 503);
    expect(problems).toEqual([expect.stringMatching(/^The sink copy is stopped since .*401: no such user/)]);
    expect(sinks).toMatchObject([{ name: "copy", state: "stopped", lagRows: 1 }]);
    await catchUp();
    expect(await getJson<object>("/health")).toMatchObject({ problems: [], sinks: [{ state: "caught up" }] });
  });

  it("sets a refused row aside, and sends the others", async () => {
    await addSink();
    await catchUp();
    store.bad.add("bad");
    await inD1(...["a", "b", "bad", "c", "d"].map((name) => delta(Date.now(), { name })));
    await catchUp();
    expect(callsInStore()).toEqual(["shop/a 1", "shop/b 1", "shop/c 1", "shop/d 1"]);
    const { problems } = await getJson<{ problems: string[] }>("/health", 503);
    expect(problems).toEqual([expect.stringContaining("The store of the sink copy refuses 1 row.")]);
    const { sinks } = await getJson<{ sinks: { refusedRows: object[] }[] }>("/sinks");
    expect(sinks[0]!.refusedRows).toMatchObject([{ function: "bad", reason: "400: one row is bad" }]);
    store.bad.clear();
    await fetchWorker("/sinks/copy/resend", { method: "POST" });
    await catchUp();
    expect(callsInStore()).toHaveLength(5);
    expect(await getJson<object>("/health")).toMatchObject({ problems: [] });
  });

  it("refuses no row if the store takes none of them", async () => {
    await addSink();
    await catchUp();
    for (const name of ["a", "b"]) store.bad.add(name);
    await inD1(delta(Date.now(), { name: "a" }), delta(Date.now(), { name: "b" }));
    await runDurableObjectAlarm(sink());
    const { sinks } = await getJson<{ sinks: object[] }>("/sinks");
    expect(sinks).toMatchObject([{ state: "stopped", refused: 0, lagRows: 2 }]);
  });

  it("never returns its secret, keeps it for the same host, and forgets it for another", async () => {
    const secret = `whsec_${btoa("x".repeat(32))}`;
    await put({ type: "webhook", url: STORE_URL, secret });
    expect(await (await fetchWorker("/sinks", {})).text()).not.toContain(secret.slice(6));
    await inD1(delta(Date.now()));
    await put({ type: "webhook", url: STORE_URL });
    await catchUp();
    expect(store.requests.at(-1)!.headers.get("webhook-signature")).toMatch(/^v1,/);
    await put({ type: "webhook", url: "http://other.example/" });
    await put({ type: "webhook", url: STORE_URL });
    await catchUp();
    expect(store.requests.at(-1)!.headers.has("webhook-signature")).toBe(false);
  });

  it("leaves nothing when it is removed", async () => {
    await addSink();
    await inD1(delta(Date.now()));
    await catchUp();
    await retain(env);
    const response = await fetchWorker("/sinks/copy", { method: "DELETE" });
    expect(await response.json()).toEqual({ removed: "copy" });
    for (const table of ["sinks", "feed", "swept"]) {
      expect(await env.DB.prepare(`SELECT count(*) AS "rows" FROM ${table}`).first("rows")).toBe(0);
    }
    expect(await runInDurableObject(sink(), (_, { storage }) => storage.getAlarm())).toBeNull();
    await inD1(delta(Date.now(), { name: "later" }));
    await catchUp();
    expect(callsInStore()).toEqual(["shop/a 1"]);
  });

  it.each([
    [{ type: "webhook", url: "ftp://store.example/" }, 400, "address_not_allowed"],
    [{ type: "webhook", url: "http://name:word@store.example/" }, 400, "address_not_allowed"],
    [{ type: "telegraph", url: STORE_URL }, 400, "invalid_field"],
    [{ type: "webhook", url: STORE_URL, secret: "guess me" }, 400, "invalid_field"],
  ])("is not made of %j", async (configuration, status, code) => {
    const response = await put(configuration);
    expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([
      status,
      code,
    ]);
  });
});

describe("the retention job", () => {
  const now = Date.UTC(2040, 0, 20, 12, 30);
  const at = (hoursAgo: number) => delta(now - hoursAgo * HOUR, { calls: 1 });
  const minutesInD1 = () =>
    env.DB.prepare('SELECT count(*) AS "rows" FROM rollups WHERE width = 60').first("rows");

  it("keeps minutes that a sink has not sent, for 14 days", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: now - 40 * HOUR });
    await addSink();
    await catchUp();
    await inD1(at(40));
    vi.setSystemTime(now);
    await retain(env);
    vi.setSystemTime(now + 60 * HOUR);
    await retain(env);
    expect(await minutesInD1()).toBe(1);
    await catchUp();
    await retain(env);
    expect(await minutesInD1()).toBe(0);
    expect(callsInStore()).toEqual(["shop/a 1"]);
  });

  it("has a sink send hours in place of minutes that it has not sent for 14 days", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now });
    await addSink();
    await inD1(at(3), at(2.9));
    await catchUp();
    await inD1(at(3), at(1));
    vi.setSystemTime(now + 400 * HOUR);
    await retain(env);
    await retain(env);
    expect(await minutesInD1()).toBe(0);
    await catchUp();
    const rows = [...store.rows.values()].map(({ seconds, calls }) => ({ seconds, calls }));
    expect(rows).toEqual(
      expect.arrayContaining([
        { seconds: 3600, calls: 3 },
        { seconds: 3600, calls: 1 },
      ]),
    );
    expect(rows).toHaveLength(2);
    const { sinks } = await getJson<{ sinks: object[] }>("/sinks");
    expect(sinks).toMatchObject([{ hoursInsteadOfMinutes: { from: "2040-01-20T09:00:00.000Z" } }]);
  });

  it("makes no minute again that it has deleted; the store gets late calls as a row of their own", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now });
    await addSink();
    await inD1(at(3), at(1));
    await catchUp();
    vi.setSystemTime(now + 60 * HOUR);
    await retain(env);
    await applyFlushes(env.DB, [{ epoch: "late", n: 7, deltas: [at(3)] }]);
    expect(await minutesInD1()).toBe(0);
    await catchUp();
    expect([...store.rows.values()].map(({ part, calls }) => `${part} ${calls}`).sort()).toEqual([
      " 1",
      " 1",
      "late:7 1",
    ]);
  });
});
