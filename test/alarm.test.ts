import { beforeEach, describe, expect, it } from "vitest";
import { Alarm } from "../src/alarm.ts";

const SECOND = 1000;
const HOUR = 3_600 * SECOND;

/** Storage that has an alarm, and what was written to it. */
class Storage {
  at: number | null = null;
  writes = 0;

  async getAlarm(): Promise<number | null> {
    return this.at;
  }

  async setAlarm(at: number): Promise<void> {
    this.at = at;
    this.writes++;
  }

  async deleteAlarm(): Promise<void> {
    this.at = null;
    this.writes++;
  }
}

let storage: Storage;
let alarm: Alarm;
beforeEach(() => {
  storage = new Storage();
  alarm = new Alarm(storage as unknown as DurableObjectStorage);
});

describe("an alarm", () => {
  it("is set to the time given", () => {
    alarm.schedule(500, 100);
    expect(storage.at).toBe(500);
  });

  it("in the past is set to now", () => {
    alarm.schedule(50, 100);
    expect(storage.at).toBe(100);
  });

  it("is set to an earlier time, and not to a later one", () => {
    alarm.schedule(500, 100);
    alarm.schedule(400, 100);
    alarm.schedule(450, 100);
    expect(storage.at).toBe(400);
    expect(storage.writes).toBe(2);
  });

  it("is removed with one write if there is nothing to do", () => {
    alarm.schedule(null, 100);
    expect(storage.writes).toBe(0);
    alarm.schedule(500, 100);
    alarm.schedule(null, 100);
    alarm.schedule(null, 100);
    expect(storage).toMatchObject({ at: null, writes: 2 });
  });

  it("is set again after it rang", () => {
    alarm.schedule(500, 100);
    alarm.rang();
    alarm.schedule(900, 500);
    expect(storage.at).toBe(900);
  });

  it("is loaded from storage, and not written again", async () => {
    storage.at = 300;
    await alarm.load();
    alarm.schedule(400, 100);
    expect(storage.writes).toBe(0);
  });

  it("is set again if it is overdue by more than ten seconds", () => {
    alarm.schedule(1_000, 0);
    alarm.schedule(60_000, 11_000);
    expect(storage.at).toBe(1_000);
    alarm.schedule(60_000, 11_001);
    expect(storage.at).toBe(60_000);
  });

  it("waits twice as long after each failure in a row, up to an hour", () => {
    const waits = Array.from({ length: 10 }, () => {
      alarm.rang();
      alarm.retryAfterFailure(0);
      return storage.at! / SECOND;
    });
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1_920, HOUR / SECOND, HOUR / SECOND, HOUR / SECOND]);
  });

  it("waits 30 seconds again after a success", () => {
    for (let i = 0; i < 3; i++) alarm.retryAfterFailure(0);
    alarm.succeeded();
    alarm.retryAfterFailure(0);
    expect(storage.at).toBe(30 * SECOND);
  });
});
