import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import {
  acknowledged,
  alarmTime,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  refused,
  ringAlarm,
  sentMessages,
} from "../worker.ts";
import { retain } from "../../src/retention/retain.ts";

const call = { function: "work", durationMs: 5 };
const manyCalls = (count: number) => Array.from({ length: count }, () => call);

describe("a flush", () => {
  it("is made by the alarm, MAX_WAITING_TIME seconds after the first unflushed sample", async () => {
    const before = Date.now();
    await acknowledged([call]);
    const alarm = await alarmTime();
    expect(alarm).toBeGreaterThanOrEqual(before + Number(env.MAX_WAITING_TIME) * 1000);
    expect(alarm).toBeLessThanOrEqual(Date.now() + Number(env.MAX_WAITING_TIME) * 1000);
    await acknowledged([call]);
    expect(await alarmTime()).toBe(alarm);

    await letTimePass();
    expect(await ringAlarm()).toBe(true);
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 2 });
  });

  it("is not made by an alarm that rings too early", async () => {
    await acknowledged([call]);
    await ringAlarm();
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 1, unconfirmedFlushes: 0 });
    expect(await alarmTime()).not.toBeNull();
  });

  it("is made as soon as MAX_ITEMS samples are there", async () => {
    await acknowledged(manyCalls(5_000));
    await acknowledged(manyCalls(4_999));
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 9_999, unconfirmedFlushes: 0 });
    await acknowledged([call]);
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 1 }),
    );
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 10_000 });
  });

  it("waits for the flush before, so that a high rate makes flushes larger, not more", async () => {
    const some = manyCalls(5_000);
    for (let i = 0; i < 2; i++) await acknowledged(some);
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 1 }),
    );
    for (let i = 0; i < 6; i++) await acknowledged(some);
    await ringAlarm();
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 30_000, unconfirmedFlushes: 1 });
    // The confirmation makes the buffer seal the rest at once.
    await deliver(await sentMessages());
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 1 }),
    );
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 40_000 });
  });

  it("counts a client's sum as one sample", async () => {
    await acknowledged([
      { function: "work", calls: 20_000, sumMs: 20_000, minMs: 1, maxMs: 1, histogram: { "-1": 20_000 } },
    ]);
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 1, unconfirmedFlushes: 0 });
    expect(await calls()).toEqual({ work: 20_000 });
  });
});

describe("the alarm", () => {
  it("is not set while the buffer is empty, and is removed when it is empty again", async () => {
    expect(await calls()).toEqual({});
    expect(await alarmTime()).toBeNull();
    await acknowledged([call]);
    await letTimePass();
    await ringAlarm();
    expect(await alarmTime()).not.toBeNull();
    await deliver(await sentMessages());
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 0 });
    expect(await alarmTime()).toBeNull();
  });

  it("is not set for a batch without an accepted sample", async () => {
    await refused([{ function: "", durationMs: 1 }], { key: "only bad ones" });
    expect(await alarmTime()).toBeNull();
  });

  it("is set again by the next sample if the platform dropped it", async () => {
    await acknowledged([call]);
    await runInDurableObject(buffer(), async (_, state) => {
      await state.storage.deleteAlarm();
      state.storage.sql.exec("UPDATE pending SET received_at = 0");
    });
    await evictDurableObject(buffer());
    await acknowledged([call]);
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 1 }),
    );
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 2 });
  });

  it("is set again by the hourly retention job if the platform dropped it and no sample comes", async () => {
    await acknowledged([call]);
    await letTimePass();
    await runInDurableObject(buffer(), (_, state) => state.storage.deleteAlarm());
    await evictDurableObject(buffer());
    await retain(env);
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ bufferedSamples: 0, unconfirmedFlushes: 1 }),
    );
  });

  it("is set again by the next sample if it is long overdue, though memory says that it is set", async () => {
    await acknowledged([call]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 400_000 });
    try {
      await runInDurableObject(buffer(), (_, state) => state.storage.deleteAlarm());
      await acknowledged([call]);
    } finally {
      vi.useRealTimers();
    }
    expect(await alarmTime()).not.toBeNull();
  });
});
