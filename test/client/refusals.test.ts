/** Batches and samples that the server refuses. */
import { describe, expect, it } from "vitest";
import type { Dropped } from "../../client/index.ts";
import { server, collect, call, answerInTurn, warnings } from "./sending.ts";

describe("a definite refusal", () => {
  it.each([400, 409, 410, 413, 415, 422, 431, 451])(
    "%d drops the batch, counts it and tells why; the next one goes on",
    async (status) => {
      answerInTurn({ status, body: '{"error":{"code":"refused","message":"It is not a batch."}}' });
      const drops: Dropped[] = [];
      const errors: string[] = [];
      const metricsCollector = await collect({
        onDrop: (dropped) => drops.push(dropped),
        onError: ({ message }) => errors.push(message),
      });
      call(metricsCollector, "work", 4);
      expect(await metricsCollector.flush()).toBe(true);
      expect(metricsCollector.stats()).toEqual({
        seen: 4,
        acknowledged: 0,
        pending: 0,
        dropped: { rejected: 4, tooOld: 0, overMemory: 0 },
      });
      expect(server.requests).toHaveLength(1);
      expect(drops).toEqual([
        { reason: "rejected", calls: 4, message: expect.stringContaining("It is not a batch.") },
      ]);
      expect(errors).toEqual([expect.stringContaining(`${status}`)]);
      expect(warnings()).toEqual([]);

      call(metricsCollector, "work", 2);
      await metricsCollector.flush();
      expect(server.calls).toEqual({ work: 2 });
      expect(new Set(server.keys).size).toBe(2);
    },
  );

  it("of some samples in an accepted batch counts their calls as dropped, and the others as acknowledged", async () => {
    server.reject = ({ function: name }) => (name.startsWith("bad") ? `There is no ${name}.` : undefined);
    const drops: Dropped[] = [];
    const metricsCollector = await collect({ onDrop: (dropped) => drops.push(dropped) });
    call(metricsCollector, "good", 10);
    call(metricsCollector, "bad", 3);
    call(metricsCollector, "better", 20);
    call(metricsCollector, "badder", 4);
    await metricsCollector.flush();
    expect(metricsCollector.stats()).toEqual({
      seen: 37,
      acknowledged: 30,
      pending: 0,
      dropped: { rejected: 7, tooOld: 0, overMemory: 0 },
    });
    expect(drops).toEqual([{ reason: "rejected", calls: 7, message: "There is no bad." }]);
    expect(server.calls).toEqual({ good: 10, better: 20 });
  });

  it("of more samples than the answer has reasons for counts them all", async () => {
    server.reject = (_, index) => (index < 150 ? "It is too late." : undefined);
    const metricsCollector = await collect();
    for (let n = 0; n < 200; n++) call(metricsCollector, `function${n}`, 2);
    await metricsCollector.flush();
    expect(metricsCollector.stats()).toEqual({
      seen: 400,
      acknowledged: 100,
      pending: 0,
      dropped: { rejected: 300, tooOld: 0, overMemory: 0 },
    });
    expect(server.totalCalls).toBe(100);
  });
});

describe("a batch of which nothing was accepted", () => {
  it.each([202, 422])("is settled by the reasons of its samples, with %d", async (status) => {
    server.reply = ({ samples }) => ({
      status,
      body: JSON.stringify({
        accepted: 0,
        rejected: samples.length,
        reasons: samples.map((_, index) => ({ index, reason: "at is too old." })),
        duplicate: false,
      }),
    });
    const drops: Dropped[] = [];
    const metricsCollector = await collect({ onDrop: (dropped) => drops.push(dropped) });
    call(metricsCollector, "work", 2);
    call(metricsCollector, "other", 3);
    expect(await metricsCollector.flush()).toBe(true);
    expect(server.requests).toHaveLength(1);
    expect(drops).toEqual([{ reason: "rejected", calls: 5, message: "at is too old." }]);
    expect(metricsCollector.stats()).toMatchObject({ seen: 5, acknowledged: 0, pending: 0 });
  });
});

describe("more than a hundred rejected samples, scattered through a batch", () => {
  it("are told by ranges, so that no call is guessed", async () => {
    const rejectedPlaces = (place: number) => place % 3 === 1;
    server.reply = ({ samples }) => {
      const places = samples.map((_, place) => place).filter(rejectedPlaces);
      const body = {
        accepted: samples.length - places.length,
        rejected: places.length,
        reasons: places.slice(0, 100).map((index) => ({ index, reason: "No." })),
        rejectedRanges: places.map((place) => [place, place]),
        duplicate: false,
      };
      return { status: 202, body: JSON.stringify(body) };
    };
    const metricsCollector = await collect({ onDrop() {} });
    for (let n = 0; n < 400; n++) call(metricsCollector, `function${n}`, n + 1);
    expect(await metricsCollector.flush()).toBe(true);
    const all = Array.from({ length: 400 }, (_, n) => n + 1);
    const rejected = all.filter((_, place) => rejectedPlaces(place)).reduce((sum, n) => sum + n, 0);
    expect(metricsCollector.stats().dropped.rejected).toBe(rejected);
  });
});
