import { env } from "cloudflare:workers";
import { createScheduledController } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { type LastRetention, readLastRetention } from "../../src/store/last-retention.ts";
import { closeRollups } from "../../src/store/close-rollups.ts";
import { retain } from "../../src/retention/retain.ts";
import { buffersThat, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import { acknowledged, carryToD1, getJson } from "../worker.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = Date.UTC(2026, 10, 24, 9, 30);

const rollups = async () =>
  (await env.DB.prepare("SELECT width, start, calls FROM rollups ORDER BY width, start").all()).results;

describe("the retention job", () => {
  it("adds up ended hours and days, and deletes minutes after 48 hours and hours after 90 days", async () => {
    const twoDaysAgo = Date.UTC(2026, 10, 22, 9);
    const ninetyDaysAgo = Date.UTC(2026, 7, 26);
    await inD1(
      delta(twoDaysAgo),
      delta(twoDaysAgo - MINUTE),
      delta(twoDaysAgo - HOUR, { calls: 2, durationMs: 3 }),
      delta(ninetyDaysAgo),
      delta(ninetyDaysAgo - MINUTE),
      delta(ninetyDaysAgo - 5 * HOUR),
      delta(now - MINUTE),
    );
    expect(await retain(env, now)).toEqual({ finishedAt: now, moved: 5, prunedFailures: 0, complete: true });
    const days = [
      { width: 86_400, start: (ninetyDaysAgo - DAY) / 1000, calls: 2 },
      { width: 86_400, start: ninetyDaysAgo / 1000, calls: 1 },
      { width: 86_400, start: Date.UTC(2026, 10, 22) / 1000, calls: 4 },
    ];
    const hours = [
      { width: 3600, start: ninetyDaysAgo / 1000, calls: 1 },
      { width: 3600, start: (twoDaysAgo - HOUR) / 1000, calls: 3 },
      { width: 3600, start: twoDaysAgo / 1000, calls: 1 },
    ];
    expect(await rollups()).toEqual([
      // They are deleted an hour late, because a read may have begun before.
      { width: 60, start: (twoDaysAgo - HOUR) / 1000, calls: 2 },
      { width: 60, start: (twoDaysAgo - MINUTE) / 1000, calls: 1 },
      { width: 60, start: twoDaysAgo / 1000, calls: 1 },
      { width: 60, start: (now - MINUTE) / 1000, calls: 1 },
      ...hours,
      ...days,
    ]);
    const [merged] = (await env.DB.prepare("SELECT * FROM rollups WHERE calls = 3").all()).results;
    expect(merged).toMatchObject({ sum_us: 16_000, min_ms: 3, max_ms: 10, histogram: '{"106":1,"50":2}' });

    expect(await retain(env, now + HOUR)).toMatchObject({ moved: 2 });
    expect(await rollups()).toEqual([
      { width: 60, start: twoDaysAgo / 1000, calls: 1 },
      { width: 60, start: (now - MINUTE) / 1000, calls: 1 },
      ...hours,
      { width: 3600, start: Date.UTC(2026, 10, 24, 9) / 1000, calls: 1 },
      ...days,
    ]);
  });

  it("leaves an hour open for ten minutes after its end", async () => {
    const end = Date.UTC(2026, 10, 24, 9);
    await inD1(delta(end - MINUTE));
    await retain(env, end + 9 * MINUTE);
    expect(await rollups()).toHaveLength(1);
    await retain(env, end + 10 * MINUTE);
    expect(await rollups()).toHaveLength(2);
  });

  it("deletes minutes that come after their hour was closed; the hour and the day have them", async () => {
    await inD1(delta(now - 3 * DAY, { calls: 2, durationMs: 10 }));
    await retain(env, now);
    await inD1(delta(now - 3 * DAY + MINUTE, { calls: 1, durationMs: 20 }), delta(now - 3 * DAY));
    const coarse = [
      { width: 3600, calls: 4 },
      { width: 86_400, calls: 4 },
    ];
    expect(await rollups()).toMatchObject([{ width: 60, calls: 1 }, { width: 60, calls: 1 }, ...coarse]);
    expect(await retain(env, now)).toMatchObject({ moved: 2 });
    expect(await rollups()).toMatchObject(coarse);
    expect(await retain(env, now)).toMatchObject({ moved: 0 });
  });

  it("continues where an earlier run stopped", async () => {
    await inD1(...Array.from({ length: 100 }, (_, i) => delta(now - 5 * DAY + i * MINUTE)));
    expect(await retain(env, now, { chunk: 7, maxChunks: 3 })).toMatchObject({ moved: 0, complete: false });
    let moved = 0;
    for (let run = 0, complete = false; !complete; run++) {
      const report = await retain(env, now, { chunk: 7, maxChunks: 3 });
      moved += report.moved;
      ({ complete } = report);
      expect(run).toBeLessThan(20);
    }
    expect(moved).toBe(100);
    expect((await rollups()).map(({ calls }) => calls)).toEqual([30, 60, 10, 100]);
  });

  it("stops at a function, and closes for the others later, while flushes come for both", async () => {
    const at = now - 5 * HOUR;
    await inD1(delta(at, { name: "a" }), delta(at, { name: "b" }), delta(at, { name: "c" }));
    const state = await closeRollups(env.DB, "hours", { until: 0, next: 0, upto: 0 }, at / 1000 + 1800, 2);
    expect(state).toMatchObject({ until: 0, upto: 2 });
    await inD1(...["a", "b", "c", "d"].map((name) => delta(at, { name })));
    const hours = `SELECT f.name, r.calls FROM rollups AS r JOIN functions AS f ON f.id = r.function_id
      WHERE width = 3600 ORDER BY 1`;
    const read = async () => (await env.DB.prepare(hours).all()).results;
    expect(await read()).toEqual([
      { name: "a", calls: 2 },
      { name: "b", calls: 2 },
    ]);
    // Another job that has read the old state does nothing.
    expect(
      await closeRollups(env.DB, "hours", { until: 0, next: 0, upto: 0 }, at / 1000 + 1800, 2),
    ).toBeNull();
    expect(await closeRollups(env.DB, "hours", state!, at / 1000 + 1800, 9)).toMatchObject({ upto: 0 });
    expect(await read()).toEqual([
      { name: "a", calls: 2 },
      { name: "b", calls: 2 },
      { name: "c", calls: 2 },
      { name: "d", calls: 1 },
    ]);
  });

  it("never closes an hour twice, not even for a new function that gets a low id", async () => {
    const at = now - 5 * HOUR;
    await inD1(delta(at, { name: "a" }), delta(at, { name: "b" }));
    const state = await closeRollups(env.DB, "hours", { until: 0, next: 0, upto: 0 }, at / 1000 + 1800, 2);
    await env.DB.batch(
      ["functions WHERE id = 2", "rollups WHERE function_id = 2"].map((from) =>
        env.DB.prepare(`DELETE FROM ${from}`),
      ),
    );
    await inD1(delta(at, { name: "new", calls: 5 }));
    await closeRollups(env.DB, "hours", state!, at / 1000 + 1800, 9);
    expect(await rollups()).toMatchObject(
      [
        { width: 60, calls: 1 },
        { width: 60, calls: 5 },
        { width: 3600, calls: 1 },
        { width: 3600, calls: 5 },
      ].sort((a, b) => a.width - b.width),
    );
  });

  it("deletes failures that did not occur for a year, also from the search, and leaves the totals unchanged", async () => {
    await inD1(delta(now - 366 * DAY, { errors: 1 }), delta(now - 364 * DAY, { name: "b", errors: 1 }));
    expect(await retain(env, now)).toMatchObject({ prunedFailures: 1 });
    expect(await getJson("/metrics/shop/a")).toMatchObject({ totals: { calls: 1, errors: 1 }, failures: [] });
    expect(await getJson("/metrics/shop/b")).toMatchObject({ failures: [{ calls: 1 }] });
    const left = await env.DB.prepare(
      "SELECT function FROM search_failures WHERE message MATCH 'decl'",
    ).all();
    expect(left.results).toEqual([{ function: "b" }]);
  });

  it("deletes failures once a day", async () => {
    await retain(env, now);
    await inD1(delta(now - 366 * DAY, { errors: 1 }));
    expect(await retain(env, now + HOUR)).toMatchObject({ prunedFailures: 0 });
    expect(await retain(env, now + DAY)).toMatchObject({ prunedFailures: 1 });
  });

  it("handles sums of any size: above 2^53 they are approximate", async () => {
    const hour = now - 3 * DAY - (now % HOUR);
    // In each minute as much as two thousand of the largest sums that a sample may hold.
    const huge = (at: number) => ({
      ...delta(at),
      calls: 2e17,
      errors: 2e17,
      sumUs: 2_000 * ingestLimits.sumMs * 1000,
      histogram: { "0": 2e17 },
      failures: [{ name: "E", message: "", calls: 2e17 }],
    });
    for (let minute = 0; minute < 60; minute++) await inD1(huge(hour + minute * MINUTE));
    await inD1(huge(hour), huge(hour + MINUTE));
    expect(await retain(env, now)).toMatchObject({ moved: 60, complete: true });
    await inD1(huge(hour));
    expect(await retain(env, now)).toMatchObject({ moved: 1, complete: true });
    const [{ calls, sum_us: sumUs }] = (await env.DB.prepare("SELECT calls, sum_us FROM rollups").all())
      .results as [{ calls: number; sum_us: number }];
    expect(sumUs / (63 * 2e17)).toBeCloseTo(1, 12);
    expect(calls).toBe(sumUs);
    const { functions } = await getJson<{ functions: unknown[] }>("/metrics");
    expect(functions).toMatchObject([{ averageMs: 0.001, errorRate: 1 }]);
    expect(await getJson("/metrics/shop/a")).toMatchObject({ failures: [{ name: "E" }] });
    expect(await getJson("/search?q=shop")).toMatchObject({ results: [{ function: "a" }] });
  });

  it("keeps sums exact below 2^53", async () => {
    const hour = now - 3 * DAY - (now % HOUR);
    const sums = [2 ** 53 - 5, 1, 1, 1, 1];
    await inD1(...sums.map((sumUs, minute) => ({ ...delta(hour + minute * MINUTE), sumUs })));
    await retain(env, now);
    expect(await env.DB.prepare("SELECT sum_us, typeof(sum_us) AS type FROM rollups").first()).toEqual({
      sum_us: 2 ** 53 - 1,
      type: "integer",
    });
  });

  it("runs at most 50 statements, which the Free plan allows in one invocation", async () => {
    await inD1(...Array.from({ length: 60 }, (_, i) => delta(now - 5 * DAY + i * MINUTE)));
    let statements = 0;
    const counted = new Proxy(env.DB, {
      get: (db, property) => {
        const value: unknown = Reflect.get(db, property, db);
        if (property !== "prepare") return typeof value === "function" ? (value.bind(db) as unknown) : value;
        return (sql: string) => {
          statements++;
          return db.prepare(sql);
        };
      },
    });
    expect(await retain(envWith({ DB: counted }), now, { chunk: 1 })).toMatchObject({ complete: false });
    expect(statements).toBeGreaterThan(40);
    expect(statements).toBeLessThanOrEqual(50);
  });

  it("raises the low watermark to the lowest flush that is not confirmed", async () => {
    await acknowledged([{ function: "a", durationMs: 1 }]);
    await carryToD1();
    await acknowledged([{ function: "a", durationMs: 1 }]);
    await carryToD1();
    const count = "SELECT count(*) AS flushes FROM flushes";
    expect(await env.DB.prepare(count).first("flushes")).toBe(2);
    await retain(env, now);
    expect(await env.DB.prepare(count).first("flushes")).toBe(1);
    expect(await env.DB.prepare("SELECT floor FROM epochs").first("floor")).toBe(3);
    expect(await getJson("/metrics")).toMatchObject({ functions: [{ calls: 2 }] });
  });

  it("runs by its cron trigger and records the run", async () => {
    await inD1(delta(Date.now() - 3 * DAY));
    const before = Date.now();
    await worker.scheduled(createScheduledController(), env);
    const last = (await readLastRetention(env.DB)) as LastRetention;
    expect(last).toMatchObject({ moved: 1, complete: true });
    expect(last.finishedAt).toBeGreaterThanOrEqual(before);
  });

  it("does its other steps if the buffer does not answer", async () => {
    await inD1(delta(now - 3 * DAY));
    const settledBelow = () => Promise.reject(new Error("Durable Object is unreachable."));
    const withoutBuffer = envWith({ BUFFER: buffersThat({ settledBelow }) });
    expect(await retain(withoutBuffer, now)).toMatchObject({ moved: 1, complete: false });
  });
});
