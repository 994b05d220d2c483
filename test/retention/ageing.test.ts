import { env } from "cloudflare:workers";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FunctionDescription } from "../../src/api/describe-function.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import type { Delta } from "../../src/stats/delta.ts";
import { closeRollups } from "../../src/store/close-rollups.ts";
import { readClosed } from "../../src/store/closed.ts";
import { floorTo } from "../../src/stats/interval.ts";
import { retain } from "../../src/retention/retain.ts";
import { dbFailingAt, dbLosingAnswers, envWith } from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import { difference, histogramOf, type Part, readD1 } from "../model/counts.ts";
import { rollupTables } from "../model/rollups.ts";
import { getJson } from "../worker.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const partOf = ({ service, function: name, buckets, ...sums }: Delta): Part => ({
  ...sums,
  function: `${service}/${name}`,
  histogram: histogramOf(buckets),
  failures: {},
});

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
  | { do: "one chunk"; tier: "hours" | "days"; chunk: number };

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
    tier: fc.constantFrom("hours" as const, "days" as const),
    chunk,
  }),
);

describe("rollups", () => {
  it("of closed hours and days hold all their calls, whatever writes, retention jobs and crashes happen", async () => {
    let now = Date.UTC(2026, 10, 24, 9, 30);
    const written: Delta[] = [];
    const write = async (...deltas: Delta[]) => {
      written.push(...deltas);
      await inD1(...deltas);
    };
    const run = async (step: Step): Promise<unknown> => {
      switch (step.do) {
        case "write":
          return write(...step.deltas.map(({ age, ...of }) => delta(now - age, of)));
        case "retain":
          return retain(env, now, step);
        case "twice":
          return Promise.all([retain(env, now, step), retain(env, now, step)]);
        case "with a write":
          return Promise.all([retain(env, now, step), write(delta(now - 3 * DAY), delta(now - 2 * HOUR))]);
        case "crash":
          return retain(envWith({ DB: step.when === "after" ? dbLosingAnswers() : dbFailingAt(2) }), now, {
            chunk: 5,
          });
        case "one chunk": {
          const hours = await readClosed(env.DB, "hours");
          const target = step.tier === "hours" ? floorTo(now / 1000, 3_600) : floorTo(hours.until, 86_400);
          const state = await readClosed(env.DB, step.tier);
          return state.until < target && closeRollups(env.DB, step.tier, state, target, step.chunk);
        }
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 1, maxLength: 12 }), async (steps) => {
        for (const step of steps) {
          await run(step);
          now += 7 * HOUR;
        }
        const [actual, expected] = rollupTables(await readD1(), written.map(partOf), now);
        expect(difference(actual, expected)).toBe("");
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it("are at most 5,400 for a function after 200 days", async () => {
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
    const written = await env.DB.prepare("SELECT sum(calls) AS calls FROM rollups").first<number>("calls");
    while (!(await retain(env, end)).complete);
    const { results } = await env.DB.prepare(
      "SELECT count(*) AS rollups FROM rollups GROUP BY function_id",
    ).all<{ rollups: number }>();
    expect(results).toHaveLength(functions);
    expect(Math.max(...results.map(({ rollups }) => rollups))).toBeLessThanOrEqual(5400);
    expect(Math.min(...results.map(({ rollups }) => rollups))).toBeGreaterThan(5000);
    const list = await getJson<FunctionList>(`/metrics?from=0&to=${end + MINUTE}`);
    expect(list.functions.reduce((sum, { calls }) => sum + calls, 0)).toBe(written);
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
    for (let run = 0; !(await retain(env, now, { chunk: 40, maxChunks: 6 })).complete; run++) {
      if (run % 5 === 0) await check();
    }
    await check();
  });
});
