import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FunctionDescription } from "../../src/api/describe-function.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import type { Delta } from "../../src/stats/delta.ts";
import { moveRollups } from "../../src/store/move-rollups.ts";
import { retain } from "../../src/retention/retain.ts";
import { dbFailingAt, dbLosingAnswers, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import { getJson } from "../worker.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SUMS =
  "sum(calls) AS calls, sum(errors) AS errors, sum(unmeasured) AS unmeasured, sum(sum_us) AS us, min(min_ms) AS min, max(max_ms) AS max";
const counts = (from: string, id: string) =>
  `SELECT ${id} AS id, h.key, sum(h.value) AS calls FROM ${from}, json_each(histogram) AS h GROUP BY 1, 2 ORDER BY 1, 2`;

async function bothSides() {
  const [inTotals, inRollups, countsInTotals, countsInRollups] = await env.DB.batch([
    env.DB.prepare(`SELECT id, ${SUMS} FROM functions GROUP BY 1 ORDER BY 1`),
    env.DB.prepare(`SELECT function_id AS id, ${SUMS} FROM rollups GROUP BY 1 ORDER BY 1`),
    env.DB.prepare(counts("functions", "functions.id")),
    env.DB.prepare(counts("rollups", "rollups.function_id")),
  ]);
  return {
    totals: [inTotals!.results, countsInTotals!.results],
    rollups: [inRollups!.results, countsInRollups!.results],
  };
}

const aDelta = fc
  .record({
    ageMinutes: fc.integer({ min: 0, max: 200 * 24 * 60 }),
    name: fc.constantFrom("a", "b", "c"),
    calls: fc.integer({ min: 1, max: 9 }),
    errors: fc.integer({ min: 0, max: 1 }),
    unmeasured: fc.integer({ min: 0, max: 2 }),
    durationMs: fc.constantFrom(0.5, 3, 70, 900),
  })
  .map(({ ageMinutes, ...of }) => ({ age: ageMinutes * MINUTE, ...of }));

type Written = typeof aDelta extends fc.Arbitrary<infer T> ? T : never;
type Step = { do: "write"; deltas: Written[] } | OtherStep;
type OtherStep =
  | { do: "retain" | "twice" | "with a write"; chunk: number; maxChunks: number }
  | { do: "crash"; when: "within" | "after" }
  | { do: "one chunk"; move: "minutes" | "hours"; chunk: number };

const chunk = fc.integer({ min: 1, max: 12 });
const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      deltas: fc.array(aDelta, { minLength: 1, maxLength: 12 }),
    }),
  },
  fc.record({
    do: fc.constantFrom("retain" as const, "twice" as const, "with a write" as const),
    chunk,
    maxChunks: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({
    do: fc.constant("crash" as const),
    when: fc.constantFrom("within" as const, "after" as const),
  }),
  fc.record({
    do: fc.constant("one chunk" as const),
    move: fc.constantFrom("minutes" as const, "hours" as const),
    chunk,
  }),
);

describe("rollups that become coarser", () => {
  it("keep their sums, whatever writes, retention jobs and crashes happen in whatever order", async () => {
    let now = Date.UTC(2026, 10, 24, 9, 30);
    const toDelta = ({ age, ...of }: Written): Delta => delta(now - age, of);
    const run = async (step: Step) => {
      switch (step.do) {
        case "write":
          return inD1(...step.deltas.map(toDelta));
        case "retain":
          return retain(env, now, step);
        case "twice":
          return Promise.all([retain(env, now, step), retain(env, now, step)]);
        case "with a write":
          return Promise.all([retain(env, now, step), inD1(delta(now - 3 * DAY))]);
        case "crash":
          return retain(envWith({ DB: step.when === "after" ? dbLosingAnswers() : dbFailingAt(2) }), now, {
            chunk: 5,
          });
        case "one chunk":
          return moveRollups(env.DB, step.move, (now - DAY) / 1000, step.chunk);
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const step of steps) {
          await run(step);
          now += 7 * HOUR;
        }
        const { totals, rollups } = await bothSides();
        expect(rollups).toEqual(totals);
      }),
      { numRuns: 60 },
    );
  });

  it("are at most 5,200 for a function after 200 days", async () => {
    const days = 200;
    const end = Math.floor(Date.now() / DAY) * DAY + 23 * HOUR + 59 * MINUTE;
    const functions = 50;
    // One call in each hour, and one in each minute of the days that are kept as minutes.
    await env.DB.batch([
      env.DB.prepare(
        `WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?1)
        INSERT INTO functions SELECT n, 'shop', '', 'f' || n, 0, 0, 0, 0, 1, 1, '{}', 0, 0 FROM i`,
      ).bind(functions),
      ...[
        { every: 3600, from: days * DAY, to: 3 * DAY },
        { every: 60, from: 3 * DAY, to: 0 },
      ].map(({ every, from, to }) =>
        env.DB.prepare(
          `WITH RECURSIVE t(at) AS (SELECT ?1 UNION ALL SELECT at + ?3 FROM t WHERE at + ?3 < ?2)
          INSERT INTO rollups SELECT id, 60, at, 1, 0, 0, 1000, 1, 1, '{"-1":1}' FROM functions, t`,
        ).bind(Math.floor((end - from) / 60_000) * 60, (end - to) / 1000, every),
      ),
    ]);
    const written = await env.DB.prepare("SELECT sum(calls) AS calls FROM rollups").first("calls");
    while (!(await retain(env, end)).complete);
    const { results } = await env.DB.prepare(
      "SELECT count(*) AS rollups, sum(calls) AS calls FROM rollups GROUP BY function_id",
    ).all<{ rollups: number; calls: number }>();
    expect(results).toHaveLength(functions);
    expect(Math.max(...results.map(({ rollups }) => rollups))).toBeLessThanOrEqual(5200);
    expect(Math.min(...results.map(({ rollups }) => rollups))).toBeGreaterThan(5000);
    expect(results.reduce((sum, { calls }) => sum + calls, 0)).toBe(written);
  }, 120_000);

  it("sum up to what was written, over any range and at the resolution that is kept", async () => {
    const now = Date.now();
    const written = fc
      .sample(aDelta, { numRuns: 300, seed: 7 })
      .map(({ age, ...of }) => delta(now - age, of));
    for (let i = 0; i < written.length; i += 50) await inD1(...written.slice(i, i + 50));
    const ranges = fc.sample(
      fc.tuple(fc.integer({ min: 0, max: 200 * 24 }), fc.integer({ min: 1, max: 100 * 24 })),
      {
        numRuns: 25,
        seed: 7,
      },
    );
    const check = async () => {
      for (const [ageHours, hours] of ranges) {
        const to = now - ageHours * HOUR;
        const query = `from=${Math.max(0, to - hours * HOUR)}&to=${to}`;
        const list = await getJson<FunctionList>(`/metrics?${query}`);
        const [start, end] = [Date.parse(list.from!) / 1000, Date.parse(list.to!) / 1000];
        for (const row of list.functions) {
          const within = written.filter(
            (one) => one.function === row.function && one.minute >= start && one.minute < end,
          );
          const calls = within.reduce((sum, one) => sum + one.calls, 0);
          expect(row).toMatchObject({
            calls,
            minMs: calls === 0 ? null : Math.min(...within.map((one) => one.minMs!)),
            maxMs: calls === 0 ? null : Math.max(...within.map((one) => one.maxMs!)),
          });
        }
        const one = await getJson<FunctionDescription>(`/metrics/shop/a?${query}`);
        const [first, last] = [Date.parse(one.from) / 1000, Date.parse(one.to) / 1000];
        const expected = written.filter(
          ({ function: name, minute }) => name === "a" && minute >= first && minute < last,
        );
        const calls = expected.reduce((sum, { calls }) => sum + calls, 0);
        expect(one.range.calls).toBe(calls);
        for (const point of one.series) {
          const at = Date.parse(point.at) / 1000;
          const during = expected.filter(({ minute }) => minute >= at && minute < at + one.stepSeconds);
          expect(point.calls).toBe(during.reduce((sum, { calls }) => sum + calls, 0));
        }
        expect(one.series.reduce((sum, point) => sum + point.calls, 0)).toBe(calls);
      }
    };
    await check();
    await retain(env, now);
    await check();
  });
});
