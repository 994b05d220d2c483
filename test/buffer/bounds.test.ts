import { describe, expect, it, vi } from "vitest";
import { bufferLimits as limits } from "../../src/buffer/limits.ts";
import { dbFailingAt, envWith, watchQueue } from "../faults.ts";
import {
  acknowledged,
  alarmTime,
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

async function flush(): Promise<void> {
  await letTimePass();
  await ringAlarm();
}

/** Failed calls of different functions, each with a long name and a long message. */
function manyFunctions(count: number, from = 0) {
  return Array.from({ length: count }, (_, i) => ({
    function: `${"f".repeat(180)}${from + i}`,
    durationMs: 1,
    error: { name: "E", message: "m".repeat(500) },
  }));
}

describe("while D1 confirms nothing", () => {
  it("at most 16 flushes are unconfirmed, and later samples merge in place", async () => {
    for (let i = 0; i < 20; i++) {
      await acknowledged([call]);
      await flush();
    }
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 16, bufferedSamples: 4 });
    expect(await calls()).toEqual({ work: 20 });

    // Only the sealed flushes are delivered. The confirmation makes the buffer seal the rest at once.
    await deliver(await sentMessages());
    await vi.waitFor(async () =>
      expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, bufferedSamples: 0 }),
    );
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 20 });
  });

  it("pending deltas merge to one for each function and minute, however many calls arrive", async () => {
    for (let i = 0; i < 16; i++) {
      await acknowledged([call]);
      await flush();
    }
    const samples = manyFunctions(1_000);
    for (let i = 0; i < 3; i++) await acknowledged(samples);
    await vi.waitFor(async () => expect((await buffer().health()).bufferedSamples).toBeLessThan(3_000));
    const { bufferedBytes, bufferedSamples, unconfirmedFlushes } = await buffer().health();
    expect(unconfirmedFlushes).toBe(16);
    expect(bufferedBytes).toBeLessThan(limits.flushedEarlyBytes * (1 + bufferedSamples / 3_000));
    const counted = await calls();
    expect(counted["work"]).toBe(16);
    expect(counted[samples[0]!.function]).toBe(3);
  });

  it(
    "a full buffer rejects batches, and loses nothing that it acknowledged",
    { timeout: 90_000 },
    async () => {
      let taken = 0;
      let refusal: Response | undefined;
      while (!refusal && taken < 100) {
        const response = await post(manyFunctions(1_000, taken * 1_000), { service: `s${taken}` });
        if (response.status === 202) taken++;
        else refusal = response;
      }
      expect(refusal?.status).toBe(503);
      expect(refusal?.headers.get("Retry-After")).toBe("30");
      expect(await refusal?.json()).toMatchObject({ error: { code: "overloaded" } });
      expect(Object.keys(await calls())).toHaveLength(taken * 1_000);

      await vi.waitFor(
        async () => {
          await deliver(await sentMessages());
          expect(await buffer().health()).toMatchObject({ bufferedBytes: 0, unconfirmedFlushes: 0 });
        },
        { timeout: 60_000, interval: 10 },
      );
      expect(Object.keys(await callsInD1())).toHaveLength(taken * 1_000);
      expect(await alarmTime()).toBeNull();
    },
  );
});

it("dead letters above a total size make the buffer reject batches, until D1 has them", async () => {
  const { unconfirmedBytes } = limits;
  try {
    await acknowledged(manyFunctions(1_000));
    await flush();
    const dead = await sentMessages();
    const refusing = envWith({ DB: dbFailingAt(0) });
    for (const message of dead) {
      await deliver([message], { env: refusing, queue: "metrics-collector-dead-letters", attempts: 9 });
    }
    expect(await buffer().health()).toMatchObject({ deadLetters: dead.length });
    Object.assign(limits, { unconfirmedBytes: 500_000 });
    const refusal = await post([call]);
    expect(refusal.status).toBe(503);
    expect(refusal.headers.get("Retry-After")).toBe("30");
    await deliver(dead);
    expect((await post([call])).status).toBe(202);
    expect(Object.keys(await calls())).toHaveLength(1_001);
  } finally {
    Object.assign(limits, { unconfirmedBytes });
  }
});

it("one alarm sends at most 16 flushes again, and the next alarm sends the others", async () => {
  await acknowledged(manyFunctions(3_000).slice(0, 1_000));
  for (let service = 0; service < 3; service++) {
    await acknowledged(manyFunctions(1_000), { service: `s${service}` });
    await flush();
    const refusing = envWith({ DB: dbFailingAt(0) });
    for (const message of await sentMessages()) {
      await deliver([message], { env: refusing, queue: "metrics-collector-dead-letters", attempts: 9 });
    }
  }
  const { unconfirmedFlushes } = await buffer().health();
  expect(unconfirmedFlushes).toBeGreaterThan(20);
  await letTimePass();
  const sent = await watchQueue();
  await ringAlarm();
  await vi.waitFor(() => expect(sent).toHaveLength(unconfirmedFlushes));
  await deliver(sent);
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0 });
});

it("splits a large seal into several flushes, each in a message and a send of a size that the queue takes", async () => {
  await acknowledged(manyFunctions(1_000));
  await letTimePass();
  const sent = await watchQueue();
  await ringAlarm();
  expect(sent.length).toBeGreaterThan(5);
  for (const body of sent) expect(new TextEncoder().encode(body).byteLength).toBeLessThan(128_000 - 100);
  const ns = sent.map((body) => (JSON.parse(body) as { n: number }).n);
  expect(ns).toEqual(sent.map((_, i) => i + 1));

  await deliver(sent.slice(0, 3));
  expect(Object.keys(await calls())).toHaveLength(1_000);
  expect(Object.values(await calls()).every((count) => count === 1)).toBe(true);
  await deliver(sent);
  expect(Object.values(await callsInD1())).toEqual(Array.from({ length: 1_000 }, () => 1));
});
