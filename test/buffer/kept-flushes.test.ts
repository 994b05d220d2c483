import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readHealth } from "../../src/admin/health.ts";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { recallLost } from "../../src/recall/recall-lost.ts";
import { envWith, replaceBufferEnv, watchQueue } from "../faults.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Row {
  n: number;
  isKept: number;
}

const rows = () =>
  runInDurableObject(buffer(), (_, { storage: { sql } }) =>
    sql.exec<Row & Record<string, number>>("SELECT n, kept_at IS NOT NULL AS isKept FROM outbox").toArray(),
  );
const keptIds = async () => (await rows()).filter(({ isKept }) => isKept === 1).map(({ n }) => n);

/** One call, sealed into a flush of its own. Returns the flush's message. */
async function sealed(name = "work"): Promise<string> {
  await acknowledged([{ function: name, durationMs: 5 }]);
  await letTimePass();
  await ringAlarm();
  return (await sentMessages()).at(-1)!;
}

async function flushed(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await deliver([await sealed()]);
}

async function emptyD1(): Promise<void> {
  const tables = ["flushes", "epochs", "functions", "rollups"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
}

/** Rows of the outbox that the buffer writes while `work` runs, without those that `letTimePass` writes. */
async function rowsWritten(work: () => Promise<unknown>): Promise<number> {
  const cursors: { rowsWritten: number }[] = [];
  const sql = await runInDurableObject(
    buffer(),
    (_, { storage }) => Object.getPrototypeOf(storage.sql) as SqlStorage,
  );
  const { exec } = sql;
  sql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
    const cursor = exec.apply(this, args);
    if (/outbox/.test(args[0]) && !args[0].endsWith("SET due = 0")) cursors.push(cursor);
    return cursor;
  } as typeof exec;
  try {
    await work();
  } finally {
    sql.exec = exec;
  }
  return cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0);
}

describe("a confirmed flush", () => {
  it("is kept, is in no read twice, and is not sent again", async () => {
    await flushed(2);
    expect(await keptIds()).toEqual([1, 2]);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, recalledFlushes: 0 });
    expect(await calls()).toEqual({ work: 2 });
    const sent = await watchQueue();
    expect(await ringAlarm()).toBe(false);
    expect(sent).toEqual([]);
  });

  it("leaves after KEEP_FLUSHES_HOURS, and the next flush takes over its row", async () => {
    await flushed(2);
    vi.setSystemTime(Date.now() + 23 * HOUR_MS);
    await flushed();
    expect(await keptIds()).toEqual([1, 2, 3]);
    vi.setSystemTime(Date.now() + 2 * HOUR_MS);
    await flushed();
    expect(await keptIds()).toEqual([3, 4]);
  });

  it("is not kept if KEEP_FLUSHES_HOURS is 0", async () => {
    const message = await sealed();
    await replaceBufferEnv({ KEEP_FLUSHES_HOURS: "0" });
    await deliver([message]);
    expect(await rows()).toEqual([]);
  });

  it("is kept for the default time if KEEP_FLUSHES_HOURS is not a number, which GET /health tells", async () => {
    const message = await sealed();
    await replaceBufferEnv({ KEEP_FLUSHES_HOURS: "a day" });
    await deliver([message]);
    expect(await keptIds()).toEqual([1]);
    const { problems } = await readHealth(envWith({ KEEP_FLUSHES_HOURS: "a day" }));
    expect(problems).toEqual([expect.stringMatching(/^KEEP_FLUSHES_HOURS must be a whole number/)]);
  });

  it("costs no more rows written than one that is deleted", async () => {
    await replaceBufferEnv({ KEEP_FLUSHES_HOURS: "0" });
    const message = await sealed();
    await replaceBufferEnv({ KEEP_FLUSHES_HOURS: "0" });
    const deleting = await rowsWritten(() => deliver([message]));
    expect(await rows()).toEqual([]);
    await flushed(3);
    const keepingMore = await rowsWritten(() => flushed());
    vi.setSystemTime(Date.now() + 24 * HOUR_MS);
    await flushed(4);
    vi.setSystemTime(Date.now() + HOUR_MS);
    expect(await keptIds()).toHaveLength(4);
    const keepingAsMany = await rowsWritten(() => flushed());
    expect({ deleting, keepingMore, keepingAsMany }).toEqual({
      deleting: 1,
      keepingMore: 2,
      keepingAsMany: 2,
    });
  });

  it("leaves early if there are more than the limits allow", async () => {
    const limits = bufferLimits as { keptFlushes: number; outboxBytes: number };
    const { keptFlushes, outboxBytes } = limits;
    try {
      limits.keptFlushes = 3;
      await flushed(5);
      expect(await keptIds()).toEqual([3, 4, 5]);
      limits.outboxBytes = 1;
      await flushed();
      expect(await keptIds()).toEqual([6]);
    } finally {
      Object.assign(limits, { keptFlushes, outboxBytes });
    }
  });
});

describe("when D1 lacks what it had confirmed", () => {
  it("kept flushes count at once, and are sent again in portions of unconfirmed flushes", async () => {
    await flushed(bufferLimits.unconfirmedFlushes + 4);
    await emptyD1();
    expect(await calls()).toEqual({});
    expect(await recallLost(env)).toEqual([]);
    expect(await calls()).toEqual({ work: 20 });
    const sent = await watchQueue();
    await ringAlarm();
    expect(sent).toHaveLength(bufferLimits.unconfirmedFlushes);
    await deliver(sent);
    await ringAlarm();
    await deliver(sent.slice(bufferLimits.unconfirmedFlushes));
    expect(await callsInD1()).toEqual({ work: 20 });
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, recalledFlushes: 0 });
  });

  it("those above the limit on bytes wait until there is room, and batches still find room", async () => {
    const limits = bufferLimits as { recalledBytes: number };
    const { recalledBytes } = limits;
    try {
      await flushed(4);
      await emptyD1();
      limits.recalledBytes = 1;
      expect(await recallLost(env)).toEqual([]);
      expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, recalledFlushes: 4 });
      // The low watermark must not pass those that wait.
      expect(await buffer().settledBelow()).toMatchObject({ n: 1 });
      for (let left = 3; left >= 0; left--) {
        await deliver(await sentMessages());
        expect(await buffer().health()).toMatchObject({ recalledFlushes: left });
      }
      expect(await callsInD1()).toEqual({ work: 4 });
    } finally {
      limits.recalledBytes = recalledBytes;
    }
  });

  it("nothing is sent again of what D1 has", async () => {
    await flushed(3);
    await env.DB.prepare("DELETE FROM flushes WHERE n = 2").run();
    await recallLost(env);
    const [message, ...others] = await sentMessages();
    expect(others).toEqual([]);
    expect(JSON.parse(message!)).toMatchObject({ n: 2 });
  });

  it("what is not kept is lost, and is told with the time before it", async () => {
    await flushed(2);
    const { epoch } = await buffer().confirmed();
    await env.DB.prepare("DELETE FROM flushes WHERE n = 2").run();
    await runInDurableObject(buffer(), (_, { storage }) => storage.sql.exec("DELETE FROM outbox").toArray());
    expect(await recallLost(env)).toEqual([
      { epoch, flushes: 1, last: 2, since: expect.any(Number) as number },
    ]);
  });
});
