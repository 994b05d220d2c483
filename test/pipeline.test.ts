import { expect, it, vi } from "vitest";
import { acknowledged, callsInD1, letTimePass, metrics, ringAlarm } from "./worker.ts";

it("carries an acknowledged call from the buffer through the queue into D1", async () => {
  await acknowledged([{ function: "a", durationMs: 5 }]);
  await letTimePass();
  await ringAlarm();
  await vi.waitFor(async () => expect(await callsInD1()).toEqual({ a: 1 }), 10_000);
  expect(await metrics()).toMatchObject([{ function: "a", calls: 1, averageMs: 5 }]);
});
