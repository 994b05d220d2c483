import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { retain } from "../../src/retention/retain.ts";
import { watchQueue } from "../faults.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  carryToD1,
  deliver,
  getJson,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

async function ask(path: string): Promise<{ status: number; body: unknown }> {
  const response = await exports.default.fetch(`https://metrics.example${path}`, { method: "POST" });
  return { status: response.status, body: await response.json() };
}

const flushed = async (name: string) => {
  await acknowledged([{ function: name, durationMs: 5 }]);
  await carryToD1();
};
const loseInBuffer = (n: number) =>
  runInDurableObject(buffer(), (_, { storage: { sql } }) => {
    sql.exec("DELETE FROM outbox WHERE n = ?", n);
  });
const loseInD1 = (...ns: number[]) =>
  env.DB.prepare(`DELETE FROM flushes WHERE n IN (${ns.join(", ")})`).run();

describe("POST /repair", () => {
  it("says so if nothing is lost", async () => {
    await flushed("work");
    expect(await ask("/repair")).toEqual({
      status: 200,
      body: { recalledFlushes: 0, lostFlushes: 0, lostSince: null, isLossAccepted: false },
    });
  });

  it("sends again what is kept, tells what is lost, and accepts the loss only if told to", async () => {
    for (const name of ["a", "b", "c"]) await flushed(name);
    await loseInD1(2, 3);
    await loseInBuffer(2);
    expect(await ask("/repair")).toMatchObject({
      body: { recalledFlushes: 1, lostFlushes: 1, lostSince: expect.any(String) as string },
    });
    expect(await ask("/repair?acceptLoss=true")).toMatchObject({
      status: 200,
      body: { lostFlushes: 1, isLossAccepted: true },
    });
    await deliver(await sentMessages());
    expect(await getJson("/health")).toMatchObject({ status: "ok", lostFlushes: 0 });
    await retain(env);
    const ledger = await env.DB.prepare("SELECT floor FROM epochs").first("floor");
    expect(ledger).toBe(4);
  });

  it("accepts nothing while flushes before the lost ones are on their way", async () => {
    await flushed("a");
    await flushed("b");
    await loseInD1(1, 2);
    await loseInBuffer(2);
    expect(await ask("/repair?acceptLoss=true")).toMatchObject({
      status: 409,
      body: { error: { code: "still_on_the_way" } },
    });
    await deliver(await sentMessages());
    expect(await ask("/repair?acceptLoss=true")).toMatchObject({ status: 200, body: { lostFlushes: 1 } });
  });
});

describe("POST /flush", () => {
  it("brings what is buffered to D1 without waiting", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    const sent = await watchQueue();
    expect(await ask("/flush")).toEqual({ status: 202, body: { flushes: 1 } });
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 1 });
    expect(await calls()).toEqual({ work: 1 });
  });

  it("sends again what is not confirmed, and does nothing if nothing waits", async () => {
    expect(await ask("/flush")).toEqual({ status: 202, body: { flushes: 0 } });
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    const sent = await watchQueue();
    expect(await ask("/flush")).toEqual({ status: 202, body: { flushes: 1 } });
    expect(sent).toHaveLength(1);
  });
});
