/** A write that fails half-way is rolled back in storage. Memory must follow, or calls are lost later. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it } from "vitest";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { OVERFLOW } from "../../src/buffer/known-functions.ts";
import { retain } from "../../src/retention/retain.ts";
import { keyWithinService } from "../../src/stats/series-id.ts";
import { failCommits, failStatements } from "../faults.ts";
import { brokenGroup } from "../model/together.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  carryToD1,
  letTimePass,
  post,
  ringAlarm,
} from "../worker.ts";

const call = (name = "work") => ({ function: name, durationMs: 5 });
const { functionsPerService } = bufferLimits;

let restore = () => {};
afterEach(() => {
  restore();
  restore = () => {};
  Object.assign(bufferLimits, { functionsPerService });
});

describe("after a seal that failed", () => {
  it("its flush id is free again, and the retention job settles nothing that is pending", async () => {
    await acknowledged([call()]);
    await letTimePass();
    restore = await failStatements("DROP TABLE pending");
    await ringAlarm();
    restore();
    await retain(env);
    await evictDurableObject(buffer());
    expect(await calls()).toEqual({ work: 1 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("nothing is in the outbox, and everything is pending", async () => {
    await acknowledged([call()]);
    await letTimePass();
    restore = await failStatements("DROP TABLE pending");
    await ringAlarm();
    restore();
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, bufferedSamples: 1 });
    expect(await buffer().settledBelow()).toMatchObject({ n: 1 });
  });
});

describe("after a commit that failed", () => {
  it("a batch is not stored, and its sender may send it again", async () => {
    await acknowledged([call()]);
    const before = await buffer().health();
    restore = await failCommits();
    expect((await post([call("new")], { key: "k" })).status).toBe(503);
    restore();
    expect(await buffer().health()).toEqual(before);
    expect(await acknowledged([call("new")], { key: "k" })).toMatchObject({ duplicate: false });
    expect(await calls()).toEqual({ work: 1, new: 1 });
  });

  it("a seal has changed nothing, and the next one takes everything", async () => {
    await acknowledged([call()]);
    await letTimePass();
    restore = await failCommits();
    await ringAlarm();
    restore();
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, bufferedSamples: 1 });
    await acknowledged([call()]);
    await carryToD1();
    expect(await callsInD1()).toEqual({ work: 2 });
  });
});

describe("after a group that failed", () => {
  /** Records a group that fails after its key and its new function were stored. */
  const recordBroken = (key: string, name: string) =>
    runInDurableObject(buffer(), (instance) => {
      const group = brokenGroup("half-way", "shop", key);
      expect(() => instance.recordGroup({ ...group, functions: [keyWithinService("", name)] })).toThrow(
        "NOT NULL constraint failed",
      );
    });

  it("its functions are not known, so that the next batch stores them and the cap counts them", async () => {
    Object.assign(bufferLimits, { functionsPerService: 2 });
    await acknowledged([call("first")]);
    await recordBroken("broken", "second");
    await acknowledged([call("second")]);
    await evictDurableObject(buffer());
    await acknowledged([call("third")]);
    expect(await calls()).toEqual({ first: 1, second: 1, [OVERFLOW]: 1 });
  });

  it("its key is free, and the room that it took too", async () => {
    await acknowledged([call()]);
    const before = await buffer().health();
    await recordBroken("broken", "work");
    expect(await buffer().health()).toEqual(before);
    expect(await acknowledged([call()], { key: "broken" })).toMatchObject({ duplicate: false });
    expect(await calls()).toEqual({ work: 2 });
  });

  it("the table of its day is created again by the next batch", async () => {
    await recordBroken("broken", "work");
    expect(await acknowledged([call()], { key: "first of the day" })).toMatchObject({ duplicate: false });
    expect(await acknowledged([call()], { key: "first of the day" })).toMatchObject({ duplicate: true });
  });
});
