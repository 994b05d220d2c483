import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readTotals } from "../../src/read/series.ts";
import { raiseLowWatermark } from "../../src/store/ledger.ts";
import { dbWith, envWith, unreachableBuffers } from "../faults.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  post,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const call = { function: "work", durationMs: 5 };

async function seal(): Promise<string[]> {
  await letTimePass();
  await ringAlarm();
  return sentMessages();
}

async function callsReadWith(replaced: Env): Promise<Record<string, number>> {
  return Object.fromEntries((await readTotals(replaced)).map((row) => [row.function, row.calls]));
}

describe("a read shows every acknowledged call exactly once", () => {
  it("at every stage between the buffer and D1", async () => {
    await acknowledged([call]);
    expect(await calls()).toEqual({ work: 1 }); // in the buffer
    const messages = await seal();
    expect(await calls()).toEqual({ work: 1 }); // sealed and sent
    await acknowledged([call]);
    expect(await calls()).toEqual({ work: 2 }); // one sealed and sent, one in the buffer
    await deliver(messages, { env: envWith({ BUFFER: unreachableBuffers() }) });
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await calls()).toEqual({ work: 2 }); // in D1, but not confirmed
    await deliver(messages);
    expect(await calls()).toEqual({ work: 2 }); // confirmed
    await deliver(await seal());
    expect(await callsInD1()).toEqual({ work: 2 });
    expect(await calls()).toEqual({ work: 2 }); // both in D1
  });

  it("when a flush is sealed and applied between the snapshot and the read of D1", async () => {
    await acknowledged([call]);
    let between = 0;
    const db = dbWith(async (real, statements) => {
      if (between++ === 0) await deliver(await seal());
      return real(statements);
    });
    expect(await callsReadWith(envWith({ DB: db }))).toEqual({ work: 1 });
    expect(between).toBe(2);
  });

  it("when a sealed flush is applied and confirmed between the snapshot and the read of D1", async () => {
    await acknowledged([call]);
    const messages = await seal();
    const db = dbWith(async (real, statements) => {
      await deliver(messages);
      return real(statements);
    });
    expect(await callsReadWith(envWith({ DB: db }))).toEqual({ work: 1 });
  });

  it("when only the low watermark tells that a flush was applied", async () => {
    await acknowledged([call]);
    const messages = await seal();
    const { epoch } = JSON.parse(messages[0]!) as { epoch: string };
    const db = dbWith(async (real, statements) => {
      await deliver(messages);
      await raiseLowWatermark(env.DB, epoch, 2);
      return real(statements);
    });
    expect(await callsReadWith(envWith({ DB: db }))).toEqual({ work: 1 });
  });

  it("when the snapshot takes several pages", async () => {
    const many = (from: number) =>
      Array.from({ length: 1_000 }, (_, i) => ({
        function: `${"f".repeat(180)}${from + i}`,
        durationMs: 1,
        error: { name: "E", message: "m".repeat(450) },
      }));
    // Fills the buffer until it rejects samples, so that sealed and pending deltas take more than one page.
    let taken = 0;
    let last = await post(many(0), { service: "s0" });
    for (; last.status === 202; last = await post(many(taken * 1_000), { service: `s${taken}` })) taken++;
    expect(await last.json()).toMatchObject({ error: { code: "overloaded" } });
    const firstPage = await buffer().snapshot();
    expect(firstPage).toMatchObject({ status: "page", cursor: expect.anything() as unknown });
    const all = await calls();
    expect(Object.keys(all)).toHaveLength(taken * 1_000);
    expect(Object.values(all).every((count) => count === 1)).toBe(true);
  });
});

it("a snapshot reports that earlier pages no longer match", async () => {
  await acknowledged([call]);
  const cursor = { generation: "an earlier one", afterN: 0, afterId: 0 };
  expect(await buffer().snapshot(cursor)).toEqual({ status: "changed" });
});

it("reads one row of D1 per function", async () => {
  const functions = Array.from({ length: 200 }, (_, i) => ({ function: `f${i}`, durationMs: 1 }));
  for (let i = 0; i < 5; i++) {
    await acknowledged(functions);
    await deliver(await seal());
  }
  let rowsRead = 0;
  const db = dbWith(async (real, statements) => {
    const results = await real(statements);
    rowsRead += results.reduce((sum, { meta }) => sum + meta.rows_read, 0);
    return results;
  });
  await readTotals(envWith({ DB: db }));
  expect(rowsRead).toBeGreaterThanOrEqual(200);
  expect(rowsRead).toBeLessThanOrEqual(202);
});
