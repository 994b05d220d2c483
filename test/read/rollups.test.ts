import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import { forgetKept } from "../../src/read/kept.ts";
import { resolveRange } from "../../src/read/range.ts";
import { ONE_STEP, readSeries } from "../../src/read/series.ts";
import { retain } from "../../src/retention/retain.ts";
import { closeRollups } from "../../src/store/close-rollups.ts";
import { readClosed, type Tier } from "../../src/store/closed.ts";
import { dbWith, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Functions that were called in every minute of the last `days` days: as the retention job has left them every hour. */
async function seed(functions: number, days: number, now: number, minutesKept = 49 * HOUR): Promise<void> {
  const rows = (width: number, from: number, to: number) =>
    env.DB.prepare(
      `WITH RECURSIVE t(at) AS (SELECT ?1 UNION ALL SELECT at + ${width} FROM t WHERE at + ${width} < ?2)
       INSERT INTO rollups SELECT id, ${width}, at, ${width / 60}, 0, 0, 1000, 1, 1, '{"-1":1}' FROM functions, t WHERE ?1 < ?2`,
    ).bind(floor(from, width * 1000) / 1000, floor(to, width * 1000) / 1000);
  await env.DB.batch([
    env.DB.prepare(
      `WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?1)
       INSERT INTO functions SELECT n, 'shop', '', 'f' || n, 0, 0, 0, 0, 1, 1, '{}', ?2, ?3 FROM i`,
    ).bind(functions, floor(now - days * DAY, DAY), now),
    rows(60, Math.max(now - minutesKept, floor(now - days * DAY, DAY)), now),
    rows(3_600, floor(now - Math.min(days, 90) * DAY, DAY), now),
    rows(86_400, floor(now - days * DAY, DAY), now),
    env.DB.prepare("INSERT INTO closed VALUES (3600, ?1, ?1, 0), (86400, ?2, ?2, 0)").bind(
      floor(now, HOUR) / 1000,
      floor(now, DAY) / 1000,
    ),
  ]);
}

function floor(ms: number, step: number): number {
  return Math.floor(ms / step) * step;
}

/** Asks as a client would, and counts what D1 did. */
async function measured(path: string) {
  forgetKept();
  let [read, statements] = [0, 0];
  const DB = dbWith(async (real, batch) => {
    statements += batch.length;
    const results = await real(batch);
    for (const { meta } of results) read += meta.rows_read;
    return results;
  });
  const response = await app.request(path, {}, envWith({ DB }));
  const list = await response.json<FunctionList>();
  return { list, read, statements, calls: list.functions.map(({ calls }) => calls) };
}

describe("a range of a list", () => {
  const now = Date.now();

  it("reads hours and days instead of their minutes, and has every call", async () => {
    await seed(20, 40, now);
    const minutes = (from: number, to: number) => (floor(to, MINUTE) - floor(from, MINUTE)) / MINUTE;
    const day = await measured("/metrics?from=-24h");
    // The last minute has not ended and has no calls yet.
    expect(new Set(day.calls)).toEqual(new Set([minutes(now - DAY, now)]));
    // A function's row is read twice, and some twenty rows tell where its hours and days are.
    expect(day.read / 20).toBeLessThan(24 + 120 + 25);
    const month = await measured("/metrics?from=-30d");
    expect(new Set(month.calls)).toEqual(new Set([minutes(floor(now - 30 * DAY, HOUR), now)]));
    expect(month.read / 20).toBeLessThan(30 + 24 + 120 + 25);
    const fine = await measured("/metrics?from=-24h&points=60");
    expect(fine.calls).toEqual(day.calls);
    expect(fine.read / 20).toBeGreaterThan(1_440);
  });

  it("takes a number of statements that the Free plan allows for 1,000 functions and 400 days", async () => {
    await seed(1_000, 2, now, 2 * MINUTE);
    await env.DB.prepare("UPDATE functions SET first_seen = ?1")
      .bind(now - 400 * DAY)
      .run();
    for (const from of ["-24h", "-90d", "0"]) {
      const { statements } = await measured(`/metrics?from=${from}&limit=10`);
      expect(statements).toBeLessThanOrEqual(50);
    }
  });

  it("does not read functions that were not called in it", async () => {
    await seed(500, 2, now, 2 * HOUR);
    await env.DB.exec("UPDATE functions SET last_seen = first_seen WHERE id > 1");
    const { read, calls } = await measured("/metrics?from=-1h&limit=10");
    expect(calls).toEqual([expect.any(Number), ...Array.from({ length: 9 }, () => 0)]);
    expect(read).toBeLessThan(500 + 200);
  });
});

describe("rollups of an earlier release", () => {
  const now = Date.UTC(2026, 10, 24, 9, 30);
  const aCall = fc.record({
    ageMinutes: fc.integer({ min: 0, max: 100 * 24 * 60 }),
    name: fc.constantFrom("a", "b", "c"),
    calls: fc.integer({ min: 1, max: 9 }),
    /** Whether the job of the earlier release had merged the minute, and not only come by before it. */
    merged: fc.boolean(),
  });

  it("hold other calls than their minutes, and are read exactly before, while and after they are closed", async () => {
    const written = fc.sample(aCall, { numRuns: 300, seed: 11 }).map(({ ageMinutes, ...of }) => ({
      ...of,
      delta: delta(now - ageMinutes * MINUTE, of),
    }));
    for (const { delta: one, merged } of written) {
      const ageMs = now - one.minute * 1000;
      const width = !merged || ageMs < 49 * HOUR ? 60 : ageMs < 91 * DAY ? 3_600 : 86_400;
      // Applied as a flush, and then made coarser as that job did.
      await inD1({ ...one, minute: floor(one.minute, width) });
      if (width === 60) continue;
      await env.DB.prepare(
        `INSERT INTO rollups SELECT function_id, ?1, start, calls, errors, unmeasured, sum_us, min_ms, max_ms, histogram
         FROM rollups WHERE width = 60 AND start = ?2 AND function_id = (SELECT id FROM functions WHERE name = ?3)
         ON CONFLICT DO UPDATE SET calls = calls + excluded.calls`,
      )
        .bind(width, floor(one.minute, width), one.function)
        .run();
      await env.DB.prepare(
        "DELETE FROM rollups WHERE width = 60 AND start = ?1 AND function_id = (SELECT id FROM functions WHERE name = ?2)",
      )
        .bind(floor(one.minute, width), one.function)
        .run();
    }
    const ranges = fc
      .sample(
        fc.tuple(fc.integer({ min: 0, max: 95 * 24 * 60 }), fc.integer({ min: 1, max: 60 * 24 * 60 })),
        {
          numRuns: 8,
          seed: 3,
        },
      )
      .map(([age, length]) =>
        resolveRange({ from: now - (age + length) * MINUTE, to: now - age * MINUTE }, now),
      );
    const check = async () => {
      for (const range of ranges) {
        for await (const { function: name, points } of readSeries(env, {}, range, ONE_STEP)) {
          const within = written.filter(
            ({ delta: { function: other, minute } }) =>
              other === name && minute >= range.from && minute < range.to,
          );
          const calls = within.reduce((sum, one) => sum + one.delta.calls, 0);
          expect({ range, calls: points[0]?.sums.calls ?? 0 }).toEqual({ range, calls });
        }
      }
    };
    await check();
    const close = async (tier: Tier, target: number) => {
      for (let chunk = 0; ; chunk++) {
        const state = await readClosed(env.DB, tier);
        if (state.until >= target) return state.until;
        await closeRollups(env.DB, tier, state, target, 5);
        if (chunk % 100 === 30) await check();
      }
    };
    const until = await close("hours", floor(now, HOUR) / 1000);
    await check();
    await close("days", floor(until, 86_400));
    await check();
    while (!(await retain(env, now)).complete);
    await check();
  });
});
