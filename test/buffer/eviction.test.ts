import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { watchQueue } from "../faults.ts";
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

it("loses nothing when it is evicted between the acknowledgement and the flush", async () => {
  await acknowledged([call]);
  await evictDurableObject(buffer());
  expect(await calls()).toEqual({ work: 1 });
  expect(await alarmTime()).not.toBeNull();
  await acknowledged([call]);
  await letTimePass();
  await ringAlarm();
  await deliver(await sentMessages());
  expect(await callsInD1()).toEqual({ work: 2 });
});

it("loses nothing when it is evicted after sealing a flush and before sending it", async () => {
  await acknowledged([call]);
  await letTimePass();
  const lost = await watchQueue(() => {
    throw new Error("Queue is overloaded. Please back off.");
  });
  await ringAlarm();
  expect(lost).toEqual([]);
  await evictDurableObject(buffer());
  expect(await calls()).toEqual({ work: 1 });
  expect(await alarmTime()).toBeGreaterThan(Date.now());

  await letTimePass();
  const sent = await watchQueue();
  await ringAlarm();
  expect(sent).toHaveLength(1);
  await deliver(sent);
  expect(await callsInD1()).toEqual({ work: 1 });
});

it("sends a flush again, with backoff, when it is evicted before the confirmation", async () => {
  await acknowledged([call]);
  await letTimePass();
  const first = await watchQueue();
  await ringAlarm();
  const firstWait = (await alarmTime())! - Date.now();
  await letTimePass();
  const second = await watchQueue();
  await ringAlarm();
  const secondWait = (await alarmTime())! - Date.now();
  expect(second).toEqual(first);
  expect(secondWait).toBeGreaterThan(firstWait * 1.5);

  await deliver([...first, ...second]);
  expect(await callsInD1()).toEqual({ work: 1 });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0 });
  expect(await alarmTime()).toBeNull();
});

it("starts a new epoch when its storage was wiped, and its new flushes are counted", async () => {
  const flushOnce = async () => {
    await acknowledged([call]);
    await letTimePass();
    await ringAlarm();
    const messages = await sentMessages();
    await deliver(messages);
    return JSON.parse(messages[0]!) as { epoch: string; n: number };
  };
  const before = await flushOnce();
  await runInDurableObject(buffer(), (_, state) => state.storage.deleteAll());
  await evictDurableObject(buffer());
  const after = await flushOnce();
  expect(after.n).toBe(before.n);
  expect(after.epoch).not.toBe(before.epoch);
  expect(await callsInD1()).toEqual({ work: 2 });
  expect(await calls()).toEqual({ work: 2 });
});

it("ignores the confirmation of another epoch", async () => {
  await acknowledged([call]);
  await letTimePass();
  await ringAlarm();
  await buffer().confirm("another epoch", [1]);
  await buffer().markDead("another epoch", 1, "none of its business");
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, deadLetters: 0 });
});
