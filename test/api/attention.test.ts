import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Attention } from "../../src/api/attention.ts";
import { forgetAttention, readAttention } from "../../src/read/attention.ts";
import { storedLimits } from "../../src/read/attention-stored.ts";
import { retain } from "../../src/retention/retain.ts";
import type { Delta } from "../../src/stats/delta.ts";
import { dbWith, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import { acknowledged, carryToD1, fetchWorker, getJson } from "../worker.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Of = Parameters<typeof delta>[1];

/** One delta for each step of a stretch of time that ended so long ago. */
function every(stepMs: number, from: number, to: number, of: (at: number) => Of): Delta[] {
  const now = Date.now();
  const count = Math.ceil((from - to) / stepMs);
  return Array.from({ length: count }, (_, i) => {
    const at = now - from + i * stepMs;
    return delta(at, of(at));
  });
}

/** Ten days: hours first, then five-minute steps of the last 49 hours, up to `until` ago. */
function steady(name: string, until: number, of: (ago: number) => Of = () => ({})): Delta[] {
  const now = Date.now();
  const at = (at: number) => ({ name, calls: 100, errors: 0, ...of(now - at) });
  const hour = (time: number) => ({ ...at(time), calls: 1200, errors: 12 * (at(time).errors ?? 0) });
  // From a whole hour on, so that no hour has fewer calls than the others.
  const minutes = 49 * HOUR + (now % HOUR);
  return [...every(HOUR, 10 * DAY, 49 * HOUR, hour), ...every(5 * MINUTE, minutes, until, at)];
}

async function store(...deltas: Delta[]): Promise<void> {
  for (let i = 0; i < deltas.length; i += 500) await inD1(...deltas.slice(i, i + 500));
  await retain(env);
}

const attention = () => getJson<Attention>("/attention");
const minutesSince = (iso: string | null) => Math.round((Date.now() - Date.parse(iso!)) / MINUTE);

/** What D1 read for one answer. */
async function rowsRead(now = Date.now()): Promise<number> {
  let rows = 0;
  const db = dbWith(async (real, statements) => {
    const results = await real(statements);
    for (const { meta } of results) rows += meta.rows_read;
    return results;
  });
  await readAttention(envWith({ DB: db }), now);
  return rows;
}

describe("GET /attention", () => {
  it("has nothing to say of nothing, nor of functions that do as ever", async () => {
    expect(await attention()).toMatchObject({ items: [], unknown: [] });
    await store(...steady("fine", 0));
    expect(await attention()).toMatchObject({ items: [], unknown: [] });
  });

  it("tells since when a function fails", async () => {
    await store(...steady("pay", 0, (ago) => ({ errors: ago <= 68 * MINUTE ? 31 : 0 })));
    const { items } = await attention();
    expect(items).toMatchObject([
      { function: "pay", kind: "failing", isNew: true, errorRate: 0.31, usualErrorRate: 0 },
    ]);
    expect(minutesSince(items[0]!.since)).toBeGreaterThanOrEqual(63);
    expect(minutesSince(items[0]!.since)).toBeLessThanOrEqual(70);
    expect(items[0]!.sentence).toMatch(/^31 % of calls fail, usually 0 %; since 6\d minutes\.$/);
  });

  it("tells since when a function is slower", async () => {
    await store(...steady("load", 0, (ago) => ({ durationMs: ago <= 3 * HOUR ? 40 : 10 })));
    const { items } = await attention();
    expect(items).toMatchObject([
      {
        function: "load",
        kind: "slower",
        isNew: true,
        p95Ms: expect.closeTo(40, 0),
        usualP95Ms: expect.closeTo(10, 0),
      },
    ]);
    expect(minutesSince(items[0]!.since)).toBeGreaterThanOrEqual(165);
    expect(minutesSince(items[0]!.since)).toBeLessThanOrEqual(195);
  });

  it("tells since when a function is silent", async () => {
    await store(...steady("ping", 81 * MINUTE));
    const { items } = await attention();
    expect(items).toMatchObject([{ function: "ping", kind: "silent", isNew: true }]);
    // Pauses of older hours are estimated from their numbers of calls.
    expect(items[0]!.usualGapSeconds).toBeGreaterThanOrEqual(300);
    expect(items[0]!.usualGapSeconds).toBeLessThanOrEqual(1200);
    expect(minutesSince(items[0]!.since)).toBe(
      Math.round((Date.now() - Date.parse(items[0]!.lastSeen)) / MINUTE),
    );
    expect(items[0]!.sentence).toMatch(
      /^Last called 8\d minutes ago; at this hour it usually pauses \d+ minutes at most\.$/,
    );
  });

  it("lists a failure that is usual below one that is new, each with its module", async () => {
    const broken = (module: string, recent: number, past: number) =>
      steady("save", 0, (ago) => ({ module, errors: ago <= HOUR ? recent : past }));
    await store(...broken("old", 30, 30), ...broken("new", 20, 0));
    const { items } = await attention();
    expect(items.map(({ module, isNew }) => [module, isNew])).toEqual([
      ["new", true],
      ["old", false],
    ]);
    expect(items[1]!.sentence).toMatch(/^30 % of calls fail, as usual/);
  });

  it("counts what waits in the buffer like what is in D1", async () => {
    await store(...steady("pay", 0));
    expect((await attention()).items).toEqual([]);
    const error = { name: "Error", message: "declined" };
    const failed = Array.from({ length: 80 }, (_, i) => ({
      function: "pay",
      durationMs: 10,
      error,
      at: Date.now() - (i % 2) * MINUTE,
    }));
    await acknowledged(failed);
    const waiting = (await attention()).items;
    expect(waiting).toMatchObject([{ function: "pay", kind: "failing", errors: 80 }]);
    await carryToD1();
    expect((await attention()).items).toMatchObject([
      { function: "pay", kind: "failing", errors: 80, since: waiting[0]!.since },
    ]);
  });

  it("judges a new function that always fails, and says what it does not know of others", async () => {
    const error = { name: "Error", message: "declined" };
    await acknowledged([
      ...Array.from({ length: 10 }, (_, i) => ({
        function: "broken",
        durationMs: 1,
        error,
        at: Date.now() - i * MINUTE,
      })),
      { function: "odd", durationMs: 1, error },
      { function: "young", durationMs: 1, at: Date.now() - 10 * MINUTE },
    ]);
    const { items, unknown } = await attention();
    expect(items).toMatchObject([{ function: "broken", kind: "failing", isNew: true, usualErrorRate: null }]);
    expect(unknown.map((one) => [one.function, one.kind])).toEqual([
      ["odd", "failing"],
      ["young", "silent"],
    ]);
  });

  it("describes all that it answers", async () => {
    await store(
      ...steady("ping", 81 * MINUTE),
      ...steady("pay", 0, (ago) => ({ errors: ago <= HOUR ? 30 : 0 })),
    );
    const answer = await attention();
    expect(answer.items).toHaveLength(2);
    expect(Attention.parse(answer)).toEqual(answer);
  });

  it("lists a muted function last, with the reason, until the mute ends", async () => {
    await store(
      ...steady("pay", 0, (ago) => ({ errors: ago <= HOUR ? 30 : 0 })),
      ...steady("ping", 81 * MINUTE),
    );
    const pay = "service=shop&function=pay&kind=failing";
    const mute = (query: string, method = "PUT") => fetchWorker(`/attention/mute?${query}`, { method });
    const until = new Date(Date.now() + DAY).toISOString();
    const muted = await mute(`${pay}&until=${until}&reason=${encodeURIComponent("The bank is away.")}`);
    expect(await muted.json()).toEqual({ until, reason: "The bank is away." });
    const mutes = async () => (await attention()).items.map((item) => [item.function, item.kind, item.mute]);
    expect(await mutes()).toEqual([
      ["ping", "silent", null],
      ["pay", "failing", { until, reason: "The bank is away." }],
    ]);
    await mute(`${pay}&until=${until}&reason=Known`);
    expect((await mutes())[1]![2]).toEqual({ until, reason: "Known" });
    await env.DB.prepare("UPDATE mutes SET until = ?")
      .bind(Date.now() - 1)
      .run();
    expect(await mutes()).toEqual([
      ["pay", "failing", null],
      ["ping", "silent", null],
    ]);
    await mute(`${pay}&until=${until}&reason=Known`);
    expect(await (await mute(pay, "DELETE")).json()).toEqual({ wasMuted: true });
    expect(await (await mute(pay, "DELETE")).json()).toEqual({ wasMuted: false });
    expect((await mutes())[0]).toEqual(["pay", "failing", null]);
  });

  it("refuses a mute of an unknown function, without a reason, in the past or for more than a year", async () => {
    await acknowledged([{ function: "pay", durationMs: 10 }]);
    const answer = async (query: string) => {
      const response = await fetchWorker(`/attention/mute?service=shop&${query}`, { method: "PUT" });
      const { error } = await response.json<{ error: { message: string } }>();
      return `${response.status} ${error.message}`;
    };
    const until = (ms: number) => `until=${Date.now() + ms}`;
    expect(await answer(`function=pai&kind=failing&reason=a&${until(DAY)}`)).toMatch(/^404 /);
    expect(await answer(`function=pay&kind=failing&reason=+&${until(DAY)}`)).toMatch(
      /^400 .*a reason of 1 to 500/,
    );
    for (const ms of [-MINUTE, 400 * DAY]) {
      expect(await answer(`function=pay&kind=failing&reason=a&${until(ms)}`)).toMatch(
        /^400 .*a time within a year from now/,
      );
    }
    expect(await answer(`function=pay&kind=broken&reason=a&${until(DAY)}`)).toMatch(/^400 /);
  });

  it("refuses parameters, since none could change the answer", async () => {
    const { error } = await getJson<{ error: { code: string } }>("/attention?from=-1h", 400);
    expect(error.code).toBe("unknown_parameter");
  });
});

describe("what D1 reads for an answer", () => {
  beforeEach(async () => {
    await store(
      ...steady("pay", 0, (ago) => ({ errors: ago <= 30 * MINUTE ? 30 : 1 })),
      ...steady("fine", 0),
    );
  });

  it("is nothing while no flush was applied, and few rows after one", async () => {
    expect(await rowsRead()).toBeGreaterThan(500);
    expect(await rowsRead()).toBe(0);
    await acknowledged([{ function: "pay", durationMs: 10 }]);
    expect(await rowsRead()).toBe(0);
    await carryToD1();
    expect(await rowsRead()).toBeLessThan(20);
  });

  it("gives what a read without memory gives, also after calls that came late", async () => {
    const now = Date.now();
    await readAttention(env, now);
    const error = { name: "Error", message: "declined" };
    for (const at of [now, now - 20 * MINUTE, now - 5 * HOUR, now - 30 * HOUR]) {
      await acknowledged(Array.from({ length: 60 }, () => ({ function: "pay", durationMs: 10, error, at })));
      const waiting = await readAttention(env, now);
      await carryToD1();
      const remembered = await readAttention(env, now);
      const anew = await fresh(now);
      expect(remembered).toEqual(anew);
      expect(waiting).toEqual(anew);
    }
  });
});

describe("what a new isolate reads", () => {
  const { minRollups } = storedLimits;
  beforeEach(async () => {
    storedLimits.minRollups = 0;
    forgetAttention();
    await store(
      // Longer than the minutes that a read of the latest calls covers.
      ...steady("pay", 0, (ago) => ({ errors: ago <= 8 * HOUR ? 30 : 1 })),
      ...steady("fine", 0),
      ...steady("gone", 81 * MINUTE),
    );
  });
  afterEach(() => {
    storedLimits.minRollups = minRollups;
  });
  const stored = async () =>
    (await env.DB.prepare("SELECT * FROM attention_memory").first<{ read_at: number; functions: string }>())!;

  it("is few rows, because another isolate has stored the past", async () => {
    const now = Date.now();
    const first = await readAttention(env, now);
    expect(first.items.map((item) => item.function)).toEqual(["pay", "gone"]);
    forgetAttention();
    expect(await rowsRead(now)).toBeLessThan(150);
    forgetAttention();
    expect(await readAttention(env, now)).toEqual(first);
    expect(await fresh(now)).toEqual(first);
  });

  it("is stored again after an hour, not with each read", async () => {
    const now = Date.now() - 90 * MINUTE;
    await readAttention(env, now);
    const { read_at: at } = await stored();
    await readAttention(env, now + 2 * MINUTE);
    forgetAttention();
    await readAttention(env, now + 5 * MINUTE);
    expect((await stored()).read_at).toBe(at);
    await readAttention(env, now + 80 * MINUTE);
    expect((await stored()).read_at).toBe(at + 80 * MINUTE);
  });

  it("judges as without it: hours later, after late calls, and after a function was deleted and came back", async () => {
    const now = Date.now();
    const error = { name: "Error", message: "declined" };
    const late = (at: number) =>
      Array.from({ length: 60 }, () => ({ function: "pay", durationMs: 10, error, at }));
    await readAttention(env, now - 11 * HOUR);
    const { read_at: at, functions } = await stored();
    for (const change of [
      async () => {},
      async () => acknowledged(late(now - 20 * MINUTE)),
      async () => acknowledged(late(now - 30 * HOUR)),
      async () => fetchWorker("/metrics/shop/pay", { method: "DELETE" }),
      async () => acknowledged(late(now)),
    ]) {
      await change();
      await carryToD1();
      await env.DB.prepare("UPDATE attention_memory SET read_at = ?, functions = ?")
        .bind(at, functions)
        .run();
      forgetAttention();
      expect(await readAttention(env, now)).toEqual(await fresh(now));
    }
  });

  it("is everything if what is stored cannot be read, or not be stored", async () => {
    const now = Date.now();
    const first = await readAttention(env, now);
    await env.DB.prepare("UPDATE attention_memory SET functions = '[['").run();
    forgetAttention();
    expect(await readAttention(env, now)).toEqual(first);
    await env.DB.prepare("DROP TABLE attention_memory").run();
    forgetAttention();
    expect(await readAttention(env, now)).toEqual(first);
  });
});

/** The answer of an isolate that finds nothing remembered. */
async function fresh(now: number) {
  await env.DB.prepare("DELETE FROM attention_memory").run();
  forgetAttention();
  return readAttention(env, now);
}
