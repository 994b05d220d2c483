import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { applyFlushes } from "../../src/store/apply-flushes.ts";
import {
  acceptLoss,
  raiseLowWatermark,
  readLastApplied,
  readUnknown,
  settle,
} from "../../src/store/ledger.ts";
import { delta } from "../flushes.ts";
import { callsInD1 } from "../worker.ts";

const epoch = "e";
const at = Date.UTC(2026, 10, 24, 9, 30);

/** Delivers flushes one after the other. Flush `n` holds one call of the function with its number. */
async function deliverAll(...ns: number[]): Promise<void> {
  for (const n of ns) await applyFlushes(env.DB, [{ epoch, n, deltas: [delta(at, { name: `f${n}` })] }]);
}

const entries = async () =>
  (await env.DB.prepare("SELECT n FROM flushes ORDER BY n").all<{ n: number }>()).results.map(({ n }) => n);
const lowWatermark = () => env.DB.prepare("SELECT floor FROM epochs").first("floor");

describe("the low watermark", () => {
  it("keeps the entries at and above it, so that a late copy writes nothing", async () => {
    await deliverAll(2, 3);
    await raiseLowWatermark(env.DB, epoch, 1);
    expect(await entries()).toEqual([2, 3]);
    await deliverAll(2, 3, 1, 2, 3);
    expect(await callsInD1()).toEqual({ f1: 1, f2: 1, f3: 1 });
  });

  it("deletes the entries below it, but for the last applied, which says when D1 last took a flush", async () => {
    await deliverAll(1, 2, 3);
    const last = await readLastApplied(env.DB, epoch);
    expect(last).toBeGreaterThan(Date.now() - 60_000);
    await raiseLowWatermark(env.DB, epoch, 4);
    expect(await entries()).toEqual([3]);
    expect(await readLastApplied(env.DB, epoch)).toBe(last);
  });

  it("keeps the entry of the last applied, also if later ones were dropped", async () => {
    await deliverAll(1, 2);
    await settle(env.DB, epoch, 3);
    await raiseLowWatermark(env.DB, epoch, 4);
    expect(await entries()).toEqual([2, 3]);
    expect(await readLastApplied(env.DB, epoch)).not.toBeNull();
  });

  it("never falls: a copy of a flush whose entry is deleted writes nothing", async () => {
    await deliverAll(1, 2);
    await raiseLowWatermark(env.DB, epoch, 3);
    expect(await entries()).toEqual([2]);
    await raiseLowWatermark(env.DB, epoch, 1);
    expect(await lowWatermark()).toBe(3);
    await deliverAll(1, 2);
    expect(await callsInD1()).toEqual({ f1: 1, f2: 1 });
  });

  it("stops at an id without an entry: D1 lacks that flush, whatever the buffer has confirmations of", async () => {
    await deliverAll(1, 2, 4);
    await raiseLowWatermark(env.DB, epoch, 5);
    expect(await lowWatermark()).toBe(3);
    await deliverAll(3);
    await raiseLowWatermark(env.DB, epoch, 5);
    expect(await lowWatermark()).toBe(5);
    expect(await callsInD1()).toEqual({ f1: 1, f2: 1, f3: 1, f4: 1 });
  });

  it("of one epoch leaves the entries of another alone", async () => {
    await deliverAll(1, 2);
    await raiseLowWatermark(env.DB, "another", 3);
    expect(await entries()).toEqual([1, 2]);
    await deliverAll(1);
    expect(await callsInD1()).toEqual({ f1: 1, f2: 1 });
  });
});

describe("what the ledger does not know", () => {
  const knowAllBut = (...gone: number[]) =>
    env.DB.prepare(
      `INSERT INTO flushes (epoch, n, applied_at)
       WITH ids (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ids WHERE n < 700)
       SELECT '${epoch}', n, 1 FROM ids WHERE n NOT IN (${gone.join(", ")})`,
    ).run();
  const range = (first: number, last: number) => ({ first, last });

  it("is every id below the next one without an entry", async () => {
    expect(await readUnknown(env.DB, epoch, 1)).toEqual([]);
    expect(await readUnknown(env.DB, epoch, 4)).toEqual([range(1, 3)]);
    await knowAllBut(1, 5, 6, 690);
    expect(await readUnknown(env.DB, epoch, 703)).toEqual([
      range(1, 1),
      range(5, 6),
      range(690, 690),
      range(701, 702),
    ]);
  });

  it("is none of the ids below the low watermark", async () => {
    await knowAllBut(5);
    await acceptLoss(env.DB, epoch, 6);
    expect(await readUnknown(env.DB, epoch, 701)).toEqual([]);
  });

  it("is sought among the latest ids where a dead letter has held the low watermark back for long", async () => {
    await knowAllBut(1, 5, 690);
    expect(await readUnknown(env.DB, epoch, 701, 1)).toEqual([range(690, 690)]);
    // Something else than that flush holds it back.
    expect(await readUnknown(env.DB, epoch, 701, 7)).toEqual([range(1, 1), range(5, 5), range(690, 690)]);
  });
});

describe("settling a flush", () => {
  it("drops it, so that it is never applied", async () => {
    expect(await settle(env.DB, epoch, 1)).toBe("dropped");
    expect(await settle(env.DB, epoch, 1)).toBe("dropped");
    await deliverAll(1);
    expect(await callsInD1()).toEqual({});
    expect(await readLastApplied(env.DB, epoch)).toBeNull();
  });

  it("that D1 has applied changes nothing", async () => {
    await deliverAll(1);
    expect(await settle(env.DB, epoch, 1)).toBe("applied");
    expect(await callsInD1()).toEqual({ f1: 1 });
    expect(await readLastApplied(env.DB, epoch)).not.toBeNull();
  });

  it("below the low watermark cannot tell what happened, and enters nothing", async () => {
    await deliverAll(1, 2);
    await raiseLowWatermark(env.DB, epoch, 3);
    expect(await settle(env.DB, epoch, 1)).toBeNull();
    expect(await entries()).toEqual([2]);
  });
});
