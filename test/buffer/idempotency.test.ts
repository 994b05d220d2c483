import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import {
  acknowledged,
  buffer,
  calls,
  deliver,
  fetchWorker,
  letTimePass,
  post,
  refused,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const batch = [
  { function: "work", durationMs: 5 },
  { function: "work", durationMs: -5 },
];
const DAY_MS = 24 * 60 * 60 * 1000;

function answerTables(): Promise<string[]> {
  return runInDurableObject(buffer(), (_, { storage: { sql } }) =>
    sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE name GLOB 'keys_[0-9]*' AND type = 'table'",
      )
      .toArray()
      .map(({ name }) => name),
  );
}

describe("a batch sent again under its key", () => {
  it("gets its first answer again, marked as a duplicate, and is counted once", async () => {
    const first = await acknowledged(batch, { key: "k" });
    expect(first).toEqual({
      accepted: 1,
      rejected: 1,
      reasons: [
        { index: 1, reason: "durationMs must be a number of milliseconds from 0 to 604800000; it is -5." },
      ],
      rejectedRanges: [[1, 1]],
      duplicate: false,
    });
    expect(await acknowledged(batch, { key: "k" })).toEqual({ ...first, duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("gets the places of all rejected samples again, also if there are more than reasons", async () => {
    const samples = Array.from({ length: 400 }, (_, n) => ({
      function: "work",
      durationMs: n % 4 < 2 ? 1 : -1,
    }));
    const first = await acknowledged(samples, { key: "k" });
    expect(first).toMatchObject({ accepted: 200, rejected: 200 });
    expect(first.reasons).toHaveLength(100);
    expect(first.rejectedRanges).toEqual(Array.from({ length: 100 }, (_, n) => [4 * n + 2, 4 * n + 3]));
    await evictDurableObject(buffer());
    expect(await acknowledged(samples, { key: "k" })).toEqual({ ...first, duplicate: true });
  });

  it("gets its first answer as an older version stored it", async () => {
    const first = await acknowledged(batch, { key: "k" });
    await runInDurableObject(buffer(), (_, { storage: { sql } }) => {
      const { name } = sql
        .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'keys_[0-9]*'")
        .one();
      sql.exec(`UPDATE ${name} SET rejected = 7, reasons = json(?)`, JSON.stringify(first.reasons));
    });
    const { rejectedRanges: _, ...rest } = first;
    expect(await acknowledged(batch, { key: "k" })).toEqual({ ...rest, rejected: 7, duplicate: true });
  });

  it("is counted once when all copies arrive at the same time", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => acknowledged(batch, { key: "k" })));
    expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
    expect(await calls()).toEqual({ work: 1 });
  });

  it("is counted once after the buffer was evicted", async () => {
    await acknowledged(batch, { key: "k" });
    await evictDurableObject(buffer());
    expect(await acknowledged(batch, { key: "k" })).toMatchObject({ accepted: 1, duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("is counted once after the flush, and after D1 confirmed it", async () => {
    await acknowledged(batch, { key: "k" });
    await letTimePass();
    await ringAlarm();
    expect(await acknowledged(batch, { key: "k" })).toMatchObject({ duplicate: true });
    await deliver(await sentMessages());
    expect(await acknowledged(batch, { key: "k" })).toMatchObject({ duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("gets its first answer even if every sample in it was bad", async () => {
    const bad = [{ function: "work", durationMs: 1, at: Date.now() - 49 * 60 * 60 * 1000 }];
    expect(await refused(bad, { key: "k" })).toMatchObject({ rejected: 1, duplicate: false });
    expect(await refused(bad, { key: "k" })).toMatchObject({ rejected: 1, duplicate: true });
  });

  it("is known for 72 hours, and is then deleted together with the table of its day", async () => {
    const start = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: start });
    try {
      await acknowledged(batch, { key: "k" });
      vi.setSystemTime(start + 3 * DAY_MS);
      await acknowledged(batch, { key: "another day" });
      expect(await acknowledged(batch, { key: "k" })).toMatchObject({ duplicate: true });
      expect(await answerTables()).toHaveLength(2);
      vi.setSystemTime(start + 4 * DAY_MS);
      await acknowledged(batch, { key: "yet another day" });
      expect(await answerTables()).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a key", () => {
  it("names one batch: other samples under it get 409, and nothing is recorded", async () => {
    await acknowledged(batch, { key: "k" });
    const response = await post([{ function: "other", durationMs: 5 }], { key: "k" });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ error: { code: "key_reused" } });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("belongs to its service: another service may use the same", async () => {
    await acknowledged(batch, { key: "k", service: "shop" });
    expect(
      await acknowledged([{ function: "other", durationMs: 5 }], { key: "k", service: "bank" }),
    ).toMatchObject({
      duplicate: false,
    });
    expect(await calls()).toEqual({ work: 1, other: 1 });
  });

  it.each(["'; DROP TABLE pending; --", '["1e3"]', "007", "null", "\u00e9\u00fc \u{1f511}", "x".repeat(128)])(
    "may be any text: %s",
    async (key) => {
      const body = JSON.stringify({ service: "shop", samples: batch, idempotencyKey: key });
      const send = () => postText(body);
      expect(await send()).toMatchObject({ accepted: 1, duplicate: false });
      expect(await send()).toMatchObject({ accepted: 1, duplicate: true });
    },
  );

  it.each(["a\u0000b", "a\nb", "\u0085", "\ud83d", "k\ufffd"])(
    "must be text that stays what it is: not %j",
    async (key) => {
      const body = JSON.stringify({ service: "shop", samples: batch, idempotencyKey: key });
      await expect(postText(body)).rejects.toThrow("400");
      expect(await calls()).toEqual({});
    },
  );

  it("may stand in the body, for senders that cannot set headers, and names the same batch there", async () => {
    await acknowledged(batch, { key: "k" });
    const body = JSON.stringify({ idempotencyKey: "k", service: "shop", samples: batch });
    expect(await postText(body)).toMatchObject({ accepted: 1, duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("names the same batch wherever its fields stand in the body, and whatever token is in it", async () => {
    const envelope = { idempotencyKey: "k", token: "old", service: "shop" };
    expect(await postText(JSON.stringify({ samples: batch, ...envelope }))).toMatchObject({
      duplicate: false,
    });
    for (const again of [
      { samples: batch, ...envelope, token: "new" },
      { ...envelope, token: "newer", samples: batch },
    ]) {
      expect(await postText(JSON.stringify(again))).toMatchObject({ accepted: 1, duplicate: true });
    }
    expect(await calls()).toEqual({ work: 1 });
  });

  it("tells batches apart even if JSON escapes hide the samples", async () => {
    const hidden = (name: string) =>
      `{"\\u0073amples":[{"function":"${name}","durationMs":5}],"service":"samples","idempotencyKey":"k"}`;
    expect(await postText(hidden("one"))).toMatchObject({ accepted: 1, duplicate: false });
    expect(await postText(hidden("one"))).toMatchObject({ accepted: 1, duplicate: true });
    await expect(postText(hidden("two"))).rejects.toThrow("409");
  });

  it("is not needed: without one, every delivery counts", async () => {
    await acknowledged(batch);
    await acknowledged(batch);
    expect(await calls()).toEqual({ work: 2 });
  });
});

async function postText(body: string): Promise<unknown> {
  const response = await fetchWorker("/samples", {
    method: "POST",
    headers: { "Content-Type": "text/plain;charset=UTF-8" },
    body,
  });
  expect(response.status).toBe(202);
  return response.json();
}
