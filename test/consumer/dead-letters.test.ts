import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { dbFailingAt, envWith, unreachableBuffers, watchQueue } from "../faults.ts";
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

/** The dead-letter queue. */
const queue = "metrics-collector-dead-letters";
const refusing = () => envWith({ DB: dbFailingAt(0) });

async function sealedMessage(): Promise<string> {
  await acknowledged([{ function: "work", durationMs: 5 }]);
  await letTimePass();
  await ringAlarm();
  return (await sentMessages())[0]!;
}

it("marks a flush that D1 keeps refusing, and still counts it in every read", async () => {
  const message = await sealedMessage();
  expect(await deliver([message], { queue, env: refusing() })).toEqual({ acked: ["0"], retried: [] });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, deadLetters: 1 });
  expect(await calls()).toEqual({ work: 1 });
  expect(await callsInD1()).toEqual({});
});

it("keeps the reason that D1 gave", async () => {
  const message = await sealedMessage();
  await deliver([message], { queue, env: refusing() });
  const reason = await runInDurableObject(
    buffer(),
    (_, { storage: { sql } }) =>
      sql.exec<{ dead_reason: string }>("SELECT dead_reason FROM outbox").one().dead_reason,
  );
  expect(reason).toContain("malformed JSON");
});

it("tries a dead letter again hourly, until D1 has it", async () => {
  const message = await sealedMessage();
  await deliver([message], { queue, env: refusing() });
  await ringAlarm();
  const wait = (await alarmTime())! - Date.now();
  expect(wait).toBeGreaterThan(59 * 60_000);
  expect(wait).toBeLessThanOrEqual(60 * 60_000);

  await letTimePass();
  const sent = await watchQueue();
  await ringAlarm();
  expect(sent).toEqual([message]);
  expect((await alarmTime())! - Date.now()).toBeGreaterThan(59 * 60_000);
  await deliver(sent);
  expect(await callsInD1()).toEqual({ work: 1 });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
});

it("does not mark a flush that was confirmed before", async () => {
  const message = await sealedMessage();
  await deliver([message]);
  await deliver([message], { queue, env: refusing() });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
  expect(await alarmTime()).toBeNull();
});

it("applies a flush if D1 takes it now", async () => {
  const message = await sealedMessage();
  await deliver([message], { queue });
  expect(await callsInD1()).toEqual({ work: 1 });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
});

it("delivers the message again if the buffer does not answer", async () => {
  const message = await sealedMessage();
  const nothingWorks = envWith({ DB: dbFailingAt(0), BUFFER: unreachableBuffers() });
  expect(await deliver([message], { queue, env: nothingWorks })).toEqual({ acked: [], retried: ["0"] });
});

it("sixteen dead letters leave room for other flushes", async () => {
  for (let i = 0; i < 16; i++) await sealedMessage();
  await deliver(await sentMessages(), { queue, env: refusing() });
  expect(await buffer().health()).toMatchObject({ deadLetters: 16 });
  await acknowledged([{ function: "other", durationMs: 5 }]);
  await letTimePass();
  await ringAlarm();
  await deliver((await sentMessages()).slice(16));
  expect(await callsInD1()).toEqual({ other: 1 });
  expect(await calls()).toEqual({ work: 16, other: 1 });
});

describe("a flush of a version that this release does not know", () => {
  /** As a newer release would send it. */
  const ofNewerRelease = (message: string) => message.replace('"version":1', '"version":2');

  it("becomes a dead letter that says so, at its first delivery", async () => {
    const message = ofNewerRelease(await sealedMessage());
    expect(await deliver([message])).toEqual({ acked: ["0"], retried: [] });
    expect(await buffer().deadLetters()).toMatchObject([
      { n: 1, reason: expect.stringContaining("The flush has version 2") as string },
    ]);
    expect(await calls()).toEqual({ work: 1 });
    expect(await callsInD1()).toEqual({});
  });

  it("stops no other flush of its delivery", async () => {
    const message = await sealedMessage();
    await acknowledged([{ function: "other", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    const [, other] = await sentMessages();
    expect(await deliver([ofNewerRelease(message), other])).toEqual({ acked: ["0", "1"], retried: [] });
    expect(await callsInD1()).toEqual({ other: 1 });
  });

  it("comes again if its buffer does not answer, also from the dead-letter queue", async () => {
    const message = ofNewerRelease(await sealedMessage());
    const withoutBuffer = envWith({ BUFFER: unreachableBuffers() });
    expect(await deliver([message], { env: withoutBuffer })).toEqual({ acked: [], retried: ["0"] });
    expect(await deliver([message], { env: withoutBuffer, queue })).toEqual({ acked: [], retried: ["0"] });
    expect(await deliver([message], { queue })).toEqual({ acked: ["0"], retried: [] });
    expect(await buffer().health()).toMatchObject({ deadLetters: 1 });
  });

  it("reaches D1 by a replay, once a release that knows it is deployed", async () => {
    const message = await sealedMessage();
    await deliver([ofNewerRelease(message)]);
    const [letter] = await buffer().deadLetters();
    expect(await buffer().replay(letter!.epoch, letter!.n)).toBe(true);
    const sent = await watchQueue();
    await ringAlarm();
    // This release knows the version that the outbox has.
    expect(sent).toEqual([message]);
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
  });
});
