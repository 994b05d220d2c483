import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { storeLimits as limits } from "../../src/store/limits.ts";
import { type Delta, mergeDeltas } from "../../src/stats/delta.ts";
import { sumBuckets, toHistogram } from "../../src/stats/histogram.ts";
import { sumBySeries } from "../../src/stats/sums.ts";
import { applyFlushes } from "../../src/store/apply-flushes.ts";
import { allTotals } from "../../src/store/read-functions.ts";
import { readWithLedger } from "../../src/store/read-with-ledger.ts";
import { dbWith } from "../faults.ts";

const epoch = "e";

function delta(values: Partial<Delta> = {}): Delta {
  return {
    service: "s",
    module: "",
    function: "f",
    minute: 60,
    calls: 1,
    errors: 0,
    unmeasured: 0,
    sumUs: 1_000,
    minMs: 1,
    maxMs: 1,
    buckets: [-1, 1],
    firstSeen: 60_000,
    lastSeen: 60_000,
    failures: [],
    ...values,
  };
}

const apply = (n: number, deltas: Delta[]) => applyFlushes(env.DB, [{ epoch, n, deltas }]);
const rows = async (sql: string) => (await env.DB.prepare(sql).all()).results;

describe("merging in SQL", () => {
  it("agrees with merging in memory, totals and minutes alike", async () => {
    const some = fc.array(
      fc.record({
        function: fc.constantFrom("f", "g"),
        minute: fc.constantFrom(60, 120),
        sumUs: fc.nat(1e9),
        minMs: fc.option(
          fc.double({ min: 1e-6, max: 1e8, noNaN: true }).map((ms) => Math.round(ms * 1e6) / 1e6),
        ),
        buckets: fc
          .array(fc.tuple(fc.integer({ min: -600, max: 900 }), fc.integer({ min: 1, max: 1e6 })), {
            maxLength: 4,
          })
          .map((pairs) => pairs.flat()),
        firstSeen: fc.nat(1e6),
      }),
      { minLength: 1, maxLength: 4 },
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(some, some, some, async (...lists) => {
        await env.DB.exec("DELETE FROM functions; DELETE FROM rollups");
        const flushes = lists.map((list) =>
          mergeDeltas(
            list.map((values) => delta({ ...values, maxMs: values.minMs, lastSeen: values.firstSeen + 1 })),
          ),
        );
        for (const deltas of flushes) await apply(++n, deltas);
        const { rows: stored } = await readWithLedger(env.DB, [{ epoch, fromN: n }], [allTotals()]);
        const totals = stored[0].map(({ id: _, ...row }) => ({ ...row, buckets: sumBuckets([row.buckets]) }));
        const byName = <T extends { function: string }>(list: T[]) =>
          list.toSorted((a, b) => (a.function < b.function ? -1 : 1));
        expect(byName(totals)).toEqual(byName(sumBySeries(flushes.flat())));
        const minutes = await rows(
          `SELECT name AS function, start AS minute, r.calls, r.sum_us AS sumUs, r.min_ms AS minMs, json(r.histogram) AS histogram
           FROM rollups r JOIN functions f ON f.id = r.function_id ORDER BY 1, 2`,
        );
        const expected = mergeDeltas(flushes.flat())
          .toSorted((a, b) =>
            a.function < b.function ? -1 : a.function > b.function ? 1 : a.minute - b.minute,
          )
          .map(({ function: name, minute, calls, sumUs, minMs, buckets }) => ({
            function: name,
            minute,
            calls,
            sumUs,
            minMs,
            histogram: toHistogram(buckets),
          }));
        expect(
          minutes.map((row) => ({ ...row, histogram: JSON.parse(row["histogram"] as string) as unknown })),
        ).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it("keeps a minimum and a maximum if only one of two deltas has them", async () => {
    const unmeasured = { unmeasured: 1, sumUs: 0, minMs: null, maxMs: null, buckets: [] };
    await apply(1, [delta(unmeasured)]);
    expect(await rows("SELECT min_ms, max_ms, histogram FROM functions")).toEqual([
      { min_ms: null, max_ms: null, histogram: "{}" },
    ]);
    await apply(2, [delta({ minMs: 3, maxMs: 4 })]);
    await apply(3, [delta(unmeasured)]);
    expect(await rows("SELECT min_ms, max_ms, histogram FROM functions")).toEqual([
      { min_ms: 3, max_ms: 4, histogram: '{"-1":1}' },
    ]);
  });
});

describe("what a flush costs in D1", () => {
  it("reads rows in proportion to the flush, however many functions there are", async () => {
    const many = Array.from({ length: 1_000 }, (_, i) =>
      delta({ function: `f${i}`, errors: 1, failures: [{ name: "E", message: "m", calls: 1 }] }),
    );
    await apply(1, many);
    const small = many.slice(0, 20);
    let read = 0;
    let written = 0;
    const db = dbWith(async (real, statements) => {
      const results = await real(statements);
      for (const { meta } of results) {
        read += meta.rows_read;
        written += meta.rows_written;
      }
      return results;
    });
    await applyFlushes(db, [{ epoch, n: 2, deltas: small }]);
    // One row for each function, minute and failure, and one for the ledger.
    expect(written).toBe(20 * 3 + 1);
    // Each of them also looks for a deletion of its series.
    expect(read).toBeLessThan(20 * 3 * 13);
  });
});

describe("failures", () => {
  const failure = (i: number, calls = 1) => ({ name: "E", message: `m${i}`, calls });

  it("are counted by name and message", async () => {
    await apply(1, [delta({ errors: 2, failures: [failure(1, 2)] })]);
    await apply(2, [
      delta({ errors: 1, failures: [failure(1)], lastSeen: 90_000 }),
      delta({ errors: 1, failures: [failure(1)], minute: 120, lastSeen: 150_000 }),
      delta({ function: "g", errors: 1, failures: [failure(1)] }),
    ]);
    expect(
      await rows(`SELECT f.name AS function, x.name, message, x.calls, x.first_seen, x.last_seen
                  FROM failures x JOIN functions f ON f.id = function_id ORDER BY 1`),
    ).toEqual([
      { function: "f", name: "E", message: "m1", calls: 4, first_seen: 60_000, last_seen: 150_000 },
      { function: "g", name: "E", message: "m1", calls: 1, first_seen: 60_000, last_seen: 60_000 },
    ]);
  });

  it("were first seen at the earliest time and last at the latest, in whatever order flushes are applied", async () => {
    for (const [n, at] of [90_000, 61_000, 75_000].entries()) {
      await apply(n + 1, [delta({ errors: 1, failures: [failure(1)], firstSeen: at, lastSeen: at })]);
    }
    const times = { calls: 3, first_seen: 61_000, last_seen: 90_000 };
    expect(await rows("SELECT calls, first_seen, last_seen FROM failures")).toEqual([times]);
    expect(await rows("SELECT calls, first_seen, last_seen FROM functions")).toEqual([times]);
  });

  it("above the cap are counted together; known ones keep their names, and no call is lost", async () => {
    const cap = limits.failuresPerFunction;
    await apply(1, [delta({ failures: Array.from({ length: cap - 1 }, (_, i) => failure(i)) })]);
    await apply(2, [
      delta({ failures: [failure(0, 5), ...Array.from({ length: 10 }, (_, i) => failure(1_000 + i))] }),
    ]);
    await apply(3, [delta({ failures: [failure(1, 7), failure(5_000, 3)] })]);
    expect(await rows("SELECT count(*) AS kinds, sum(calls) AS calls FROM failures")).toEqual([
      { kinds: cap + 1, calls: cap - 1 + 15 + 10 },
    ]);
    expect(await rows("SELECT message, calls FROM failures WHERE name = 'other'")).toEqual([
      { message: "", calls: 12 },
    ]);
    expect(await rows("SELECT calls FROM failures WHERE message IN ('m0', 'm1') ORDER BY message")).toEqual([
      { calls: 6 },
      { calls: 8 },
    ]);
  });
});

it("the view shows calls, average and errors of each function", async () => {
  await apply(1, [
    delta({ calls: 4, errors: 1, unmeasured: 1, sumUs: 9_000, buckets: [-1, 3] }),
    delta({ function: "cpu", calls: 1, unmeasured: 1, sumUs: 0, minMs: null, maxMs: null, buckets: [] }),
  ]);
  expect(await rows("SELECT * FROM metrics")).toEqual([
    { service: "s", module: "", function: "f", calls: 4, average_ms: 3, errors: 1 },
    { service: "s", module: "", function: "cpu", calls: 1, average_ms: null, errors: 0 },
  ]);
});
