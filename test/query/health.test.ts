import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { sweep } from "../../src/sweep/sweep.ts";
import { dbFailingAt, envWith } from "../faults.ts";
import { acknowledged, deliver, letTimePass, ringAlarm, sentMessages } from "../worker.ts";

async function health() {
  const response = await exports.default.fetch("https://metrics.example/health");
  return { httpStatus: response.status, ...(await response.json<Record<string, unknown>>()) };
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

describe("GET /health", () => {
  it("says that nothing waits", async () => {
    expect(await health()).toEqual({
      httpStatus: 200,
      status: "ok",
      problems: [],
      bufferedSamples: 0,
      bufferedBytes: 0,
      oldestBufferedAt: null,
      unconfirmedFlushes: 0,
      oldestUnconfirmedAt: null,
      deadLetters: 0,
      lastFlushAt: null,
      lastSweepAt: null,
      overflow: [],
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });

  it("says what waits, where, and since when", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    expect(await health()).toMatchObject({ httpStatus: 200, bufferedSamples: 1, oldestBufferedAt: iso });
    await letTimePass();
    await ringAlarm();
    expect(await health()).toMatchObject({
      bufferedSamples: 0,
      unconfirmedFlushes: 1,
      oldestUnconfirmedAt: iso,
    });
    await deliver(await sentMessages());
    expect(await health()).toMatchObject({
      unconfirmedFlushes: 0,
      oldestUnconfirmedAt: null,
      lastFlushAt: iso,
    });
  });

  it("says when the last sweep was", async () => {
    await sweep(env, Date.UTC(2026, 0, 1));
    expect(await health()).toMatchObject({ lastSweepAt: "2026-01-01T00:00:00.000Z" });
  });

  it("is 503 when D1 refuses a flush", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    const refusing = envWith({ DB: dbFailingAt(0) });
    await deliver(await sentMessages(), { queue: "metrics-collector-dead-letters", env: refusing });
    expect(await health()).toMatchObject({
      httpStatus: 503,
      status: "degraded",
      deadLetters: 1,
      problems: ["D1 refuses 1 flushes: GET /dead-letters says why."],
    });
  });

  it("is 503 when a flush has not reached D1 for a long time", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 60_000 });
    try {
      expect(await health()).toMatchObject({
        httpStatus: 503,
        problems: [expect.stringContaining("look at the queue")],
      });
    } finally {
      vi.useRealTimers();
    }
  });
});
