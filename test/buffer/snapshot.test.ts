/** Snapshots of several pages. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { bufferLimits } from "../../src/buffer/limits.ts";
import type { MetricsBuffer } from "../../src/buffer/metrics-buffer.ts";
import worker from "../../src/index.ts";
import type { FunctionList } from "../../src/api/list-functions.ts";
import { dbFailingAt, envWith } from "../faults.ts";
import { acknowledged, buffer, calls, deliver, letTimePass, ringAlarm, sentMessages } from "../worker.ts";

const { snapshotPageBytes } = bufferLimits;
const names = ["a", "b", "c", "d"];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  // One row in each page.
  Object.assign(bufferLimits, { snapshotPageBytes: 1 });
});
afterEach(() => {
  vi.useRealTimers();
  Object.assign(bufferLimits, { snapshotPageBytes });
});

/** `GET /metrics`, with something that happens between the first page of the snapshot and the second. */
async function callsWith(between: () => Promise<void>): Promise<Record<string, number>> {
  let pages = 0;
  const BUFFER = new Proxy(env.BUFFER, {
    get: () => (name: string) => ({
      snapshot: async (...args: Parameters<MetricsBuffer["snapshot"]>) => {
        if (pages++ === 1) await between();
        return env.BUFFER.getByName(name).snapshot(...args);
      },
    }),
  });
  const response = await worker.fetch(
    new Request("https://metrics.example/metrics", { headers: { Accept: "application/json" } }),
    envWith({ BUFFER }),
  );
  const { functions } = await response.json<FunctionList>();
  return Object.fromEntries(functions.map((row) => [row.function, row.calls]));
}

/** Seals what is pending. The object stays awake, so that it keeps what memory holds. */
async function seal(): Promise<void> {
  vi.setSystemTime(Date.now() + 301_000);
  await ringAlarm();
  expect(await buffer().health()).toMatchObject({ bufferedSamples: 0 });
}

const once = Object.fromEntries(names.map((name) => [name, 1]));

describe("a snapshot of several pages", () => {
  beforeEach(async () => {
    for (const name of names) await acknowledged([{ function: name, durationMs: 1 }]);
  });

  it("has each call once", async () => {
    expect(await buffer().snapshot()).toMatchObject({ pending: { length: 1 }, cursor: { afterN: 0 } });
    expect(await calls()).toEqual(once);
  });

  it("starts over after a seal between two pages, whose flush may be in D1 already", async () => {
    const sealed = async () => {
      await seal();
      await deliver(await sentMessages());
    };
    expect(await callsWith(sealed)).toEqual(once);
  });

  it("starts over after a seal whose flush is still in the outbox", async () => {
    expect(await callsWith(seal)).toEqual(once);
  });

  it("has each call once if a batch comes between two pages", async () => {
    const all = await callsWith(async () => {
      await acknowledged([{ function: "late", durationMs: 1 }]);
    });
    expect(all).toEqual({ ...once, late: 1 });
  });

  it("has all sealed flushes before the pending deltas", async () => {
    await seal();
    await deliver(await sentMessages(), {
      queue: "metrics-collector-dead-letters",
      env: envWith({ DB: dbFailingAt(0) }),
    });
    for (const name of ["b", "c"]) {
      await acknowledged([{ function: name, durationMs: 1 }]);
      await letTimePass();
      await ringAlarm();
    }
    await acknowledged([{ function: "pending", durationMs: 1 }]);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 3, bufferedSamples: 1 });
    expect(await buffer().snapshot()).toMatchObject({ sealed: { length: 1 }, pending: { length: 0 } });
    expect(await calls()).toEqual({ ...once, b: 2, c: 2, pending: 1 });
  });
});
