import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { raiseFloor } from "../../src/store/ledger.ts";
import { dbFailingAt, envWith, unreachableBuffers, watchQueue } from "../faults.ts";
import {
  acknowledged,
  alarmTime,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

interface Letter {
  id: string;
  reason: string;
  sealedAt: string;
  nextTryAt: string;
  attempts: number;
}

async function request(method: string, path: string) {
  const response = await exports.default.fetch(`https://metrics.example/dead-letters${path}`, { method });
  return { status: response.status, body: await response.json<Record<string, unknown>>() };
}

const letters = async () => (await request("GET", "")).body["deadLetters"] as Letter[];

let message: string;
let id: string;
beforeEach(async () => {
  await acknowledged([
    { function: "work", durationMs: 5 },
    { function: "work", durationMs: 5, error: { name: "E", message: "m" } },
    { function: "other", durationMs: 5 },
  ]);
  await letTimePass();
  await ringAlarm();
  [message] = (await sentMessages()) as [string];
  await deliver([message], { queue: "metrics-collector-dead-letters", env: envWith({ DB: dbFailingAt(1) }) });
  id = (await letters())[0]!.id;
});

describe("GET /dead-letters", () => {
  it("shows what D1 refuses, and why", async () => {
    expect(await letters()).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}:1$/) as string,
        reason: expect.stringContaining("malformed JSON") as string,
        sealedAt: expect.stringMatching(/Z$/) as string,
        nextTryAt: expect.stringMatching(/Z$/) as string,
        attempts: 1,
        bytes: expect.any(Number) as number,
      },
    ]);
  });
});

describe("POST /dead-letters/:id/replay", () => {
  it("sends it at once, and it is counted once", async () => {
    const sent = await watchQueue();
    expect(await request("POST", `/${id}/replay`)).toEqual({ status: 202, body: { replayed: id } });
    await vi.waitFor(() => expect(sent).toEqual([message]));
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 2, other: 1 });
    expect(await letters()).toEqual([]);
    expect(await alarmTime()).toBeNull();
  });
});

describe("DELETE /dead-letters/:id", () => {
  it("drops it, and answers by how much each counter falls", async () => {
    expect(await calls()).toEqual({ work: 2, other: 1 });
    const { status, body } = await request("DELETE", `/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      dropped: [
        { service: "shop", module: "", function: "work", calls: 2, errors: 1 },
        { service: "shop", module: "", function: "other", calls: 1, errors: 0 },
      ],
    });
    expect(await calls()).toEqual({});
    expect(await letters()).toEqual([]);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
  });

  it("lets no copy of it be applied any more, however late", async () => {
    await request("DELETE", `/${id}`);
    await deliver([message]);
    expect(await callsInD1()).toEqual({});
    const { epoch, n } = await buffer().settledBelow();
    await raiseFloor(env.DB, epoch, n);
    await deliver([message]);
    expect(await callsInD1()).toEqual({});
  });

  it("drops nothing that D1 has taken after all", async () => {
    await deliver([message], { env: envWith({ BUFFER: unreachableBuffers() }) });
    expect(await request("DELETE", `/${id}`)).toMatchObject({
      status: 409,
      body: { error: { code: "already_applied" } },
    });
    expect(await calls()).toEqual({ work: 2, other: 1 });
    expect(await letters()).toEqual([]);
  });

  it("drops no flush that is merely on its way", async () => {
    await acknowledged([{ function: "third", durationMs: 1 }]);
    await letTimePass();
    await ringAlarm();
    const onItsWay = id.replace(/:1$/, ":2");
    expect(await request("DELETE", `/${onItsWay}`)).toMatchObject({ status: 404 });
    expect(await calls()).toEqual({ work: 2, other: 1, third: 1 });
  });
});

it.each(["x", "x:1", ":1", "x:0", "x:1.5", "x:99999999999999999999", "%00:1", "'--:1"])(
  "there is no dead letter %s",
  async (unknown) => {
    for (const [method, path] of [
      ["POST", `/${unknown}/replay`],
      ["DELETE", `/${unknown}`],
    ] as const) {
      const { status, body } = await request(method, path);
      expect(status).toBe(404);
      expect(body).toHaveProperty("error.message");
    }
    expect(await calls()).toEqual({ work: 2, other: 1 });
  },
);
