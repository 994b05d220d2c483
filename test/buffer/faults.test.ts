import { describe, expect, it, vi } from "vitest";
import { dbFailingAt, envWith, queueThat, replaceBufferEnv, watchQueue } from "../faults.ts";
import {
  acknowledged,
  alarmTime,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const call = { function: "work", durationMs: 5 };

describe("without a person, the buffer recovers", () => {
  it("after the queue refused every message for a while", async () => {
    await acknowledged([call]);
    let refused = 0;
    for (let i = 0; i < 5; i++) {
      await letTimePass();
      await watchQueue(() => {
        refused++;
        throw new Error("Queue is overloaded. Please back off.");
      });
      await ringAlarm();
      expect(await calls()).toEqual({ work: 1 });
    }
    expect(refused).toBe(5);
    await letTimePass();
    const sent = await watchQueue();
    await ringAlarm();
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await alarmTime()).toBeNull();
  });

  it("after its alarm failed ten times in a row, each time after a longer wait", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    try {
      await acknowledged([call]);
      await letTimePass();
      await replaceBufferEnv({ MAX_ITEMS: "broken" });
      const waits: number[] = [];
      for (let i = 0; i < 10; i++) {
        expect(await ringAlarm()).toBe(true);
        const at = (await alarmTime())!;
        waits.push((at - Date.now()) / 1000);
        vi.setSystemTime(at);
      }
      expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
      await replaceBufferEnv({});
      await ringAlarm();
      await deliver(await sentMessages());
      expect(await callsInD1()).toEqual({ work: 1 });
    } finally {
      vi.useRealTimers();
    }
  });

  it("and sends unconfirmed flushes again while a setting is broken", async () => {
    await acknowledged([call]);
    await letTimePass();
    await ringAlarm();
    await acknowledged([{ ...call, function: "pending" }]);
    await letTimePass();
    const sent = await watchQueue();
    await replaceBufferEnv({
      QUEUE: queueThat(async (bodies) => void sent.push(...bodies)),
      MAX_ITEMS: "broken",
    });
    await ringAlarm();
    expect(sent).toHaveLength(1);
    await expect(deliver(sent)).resolves.toMatchObject({ retried: ["0"] });
    await replaceBufferEnv({});
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await calls()).toEqual({ work: 1, pending: 1 });
  });

  it("and confirms flushes while a setting is broken, if nothing is pending", async () => {
    await acknowledged([call]);
    await letTimePass();
    await ringAlarm();
    await replaceBufferEnv({ MAX_ITEMS: "broken" });
    expect(await deliver(await sentMessages())).toEqual({ acked: ["0"], retried: [] });
    expect(await alarmTime()).toBeNull();
  });

  it("after D1 was down for an hour, with every retry and the dead-letter queue used up", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    try {
      const down = envWith({ DB: dbFailingAt(0) });
      for (let minute = 0; minute < 60; minute += 5) {
        vi.setSystemTime(start + minute * 60_000);
        await acknowledged([call]);
        await letTimePass();
        await ringAlarm();
        for (const message of await sentMessages()) {
          expect((await deliver([message], { env: down, attempts: 3 })).retried).toEqual(["0"]);
        }
        if (minute === 30)
          await deliver(await sentMessages(), { env: down, queue: "metrics-collector-dead-letters" });
        expect(await calls()).toEqual({ work: minute / 5 + 1 });
      }
    } finally {
      vi.useRealTimers();
    }
    await letTimePass();
    const sent = await watchQueue();
    await ringAlarm();
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 12 });
    expect(await buffer().health()).toMatchObject({
      bufferedSamples: 0,
      unconfirmedFlushes: 0,
      deadLetters: 0,
    });
  });
});
