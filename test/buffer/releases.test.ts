/** Storage and messages that another release of the buffer wrote. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { decodeFlush } from "../../src/flush.ts";
import { watchQueue } from "../faults.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  carryToD1,
  deliver,
  letTimePass,
  ringAlarm,
} from "../worker.ts";

const call = { function: "work", durationMs: 5 };
const sql = (statement: string) =>
  runInDurableObject(buffer(), (_, { storage }) => storage.sql.exec(statement).toArray());

/** Seals a flush, and gives the outbox the table of a release that did not know versions. */
async function sealInOldRelease(): Promise<void> {
  await acknowledged([call]);
  await letTimePass();
  await ringAlarm();
  await sql("ALTER TABLE outbox DROP COLUMN version");
  await evictDurableObject(buffer());
}

describe("a flush that an older release sealed", () => {
  it("is sent as a message of that release, and reaches D1", async () => {
    await sealInOldRelease();
    await letTimePass();
    const sent = await watchQueue();
    await ringAlarm();
    expect(sent).toHaveLength(1);
    expect(JSON.parse(sent[0]!)).not.toHaveProperty("version");
    expect(decodeFlush(sent[0])).toMatchObject({ status: "flush", flush: { n: 1 } });
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 1 });
  });

  it("counts in reads, together with flushes of this release", async () => {
    await sealInOldRelease();
    await acknowledged([call]);
    expect(await calls()).toEqual({ work: 2 });
    await carryToD1();
    expect(await callsInD1()).toEqual({ work: 2 });
  });
});

it("an older release can seal flushes into the outbox of this one", async () => {
  await acknowledged([call]);
  await sql(`INSERT INTO outbox (n, sealed_at, attempts, due, bytes, deltas)
    SELECT 1, 0, 1, 0, bytes, deltas FROM pending`);
  await sql("DELETE FROM pending");
  await sql("UPDATE identity SET next = 2");
  await evictDurableObject(buffer());
  await carryToD1();
  expect(await callsInD1()).toEqual({ work: 1 });
});

it("a flush that a newer release sealed keeps its version", async () => {
  await acknowledged([call]);
  await letTimePass();
  await ringAlarm();
  await sql("UPDATE outbox SET version = 2");
  await letTimePass();
  const sent = await watchQueue();
  await ringAlarm();
  expect(sent.map((body) => (JSON.parse(body) as { version: number }).version)).toEqual([2]);
});
