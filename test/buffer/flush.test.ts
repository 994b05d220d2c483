import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import {
  acknowledged,
  alarmTime,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const call = (name: string) => ({ function: name, durationMs: 5 });

describe("the buffer flushes", () => {
  it("by alarm, MAX_WAITING_TIME seconds after the first unflushed sample", async () => {
    const before = Date.now();
    await acknowledged([call("a")]);
    const alarm = await alarmTime();
    expect(alarm).toBeGreaterThanOrEqual(before + Number(env.MAX_WAITING_TIME) * 1000);
    await acknowledged([call("a")]);
    expect(await alarmTime()).toBe(alarm);

    await letTimePass();
    expect(await ringAlarm()).toBe(true);
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ a: 2 });
    expect(await calls()).toEqual({ a: 2 });
  });
});
