/** What sinks cost in D1, as D1 itself counts rows. docs/cost.md has these figures. */
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { applyFlushes } from "../../src/store/apply-flushes.ts";
import { readFeedPage } from "../../src/store/feed.ts";
import { enterSink } from "../../src/store/sinks.ts";
import { dbWith } from "../faults.ts";
import { delta } from "../flushes.ts";

/** 20 functions over the five minutes of a flush. */
const deltas = Array.from({ length: 100 }, (_, i) =>
  delta(Date.UTC(2040, 0, 1) + Math.floor(i / 20) * 60_000, { name: `f${i % 20}` }),
);

/** D1 that adds up the rows which its transactions read and write. */
function counting() {
  const rows = { read: 0, written: 0 };
  const db = dbWith(async (real, statements) => {
    const results = await real(statements);
    for (const { meta } of results) {
      rows.read += meta.rows_read;
      rows.written += meta.rows_written;
    }
    return results;
  });
  return { db, rows };
}

let n = 0;

async function costOfFlush(): Promise<{ read: number; written: number }> {
  const { db, rows } = counting();
  await applyFlushes(db, [{ epoch: "e", n: ++n, deltas }]);
  return rows;
}

it("a flush writes one row more if there are sinks, however many, and reads a few for each minute", async () => {
  await costOfFlush();
  const without = await costOfFlush();
  expect(without.written).toBe(20 + 100 + 1);
  await enterSink(env.DB, "first", 1);
  const withOne = await costOfFlush();
  expect(withOne.written).toBe(without.written + 1);
  expect(withOne.read - without.read).toBeLessThan(100 * 5);
  for (const name of ["second", "third"]) await enterSink(env.DB, name, 1);
  const withThree = await costOfFlush();
  expect(withThree.written).toBe(without.written + 1);
  expect(withThree.read - withOne.read).toBeLessThan(10);
});

it("a sink reads a few rows for each minute that it sends, whatever else D1 has", async () => {
  await costOfFlush();
  for (let i = 0; i < 20; i++) {
    await applyFlushes(env.DB, [
      { epoch: "e", n: ++n, deltas: deltas.map((of) => ({ ...of, minute: of.minute + (i + 1) * 300 })) },
    ]);
  }
  const { cursor } = await enterSink(env.DB, "first", 1);
  await costOfFlush();
  const { db, rows } = counting();
  const segments = [{ from: 0, resolution: 60 }];
  const page = await readFeedPage(db, { name: "first", base: 1, cursor, segments }, cursor.seq, 5_000);
  expect(page).toMatchObject({ status: "page" });
  expect(page.status === "page" && page.rows.length).toBe(100);
  expect(rows.written).toBe(0);
  expect(rows.read).toBeLessThan(100 * 8);
});
