import { createExecutionContext, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { app } from "../../src/app.ts";
import { recallLost } from "../../src/recall/recall-lost.ts";
import { raiseLowWatermark } from "../../src/store/ledger.ts";
import { retain } from "../../src/retention/retain.ts";
import {
  buffersThat,
  dbFailingAt,
  dbLosingAnswers,
  dbWith,
  envWith,
  unreachableBuffers,
  watchQueue,
} from "../faults.ts";
import {
  acknowledged,
  alarmTime,
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

const drop = (replaced: Env) =>
  app.fetch(
    new Request(`https://metrics.example/dead-letters/${id}`, { method: "DELETE" }),
    replaced,
    createExecutionContext(),
  );

/** What each function's counters lose when the dead letter is dropped. */
const dropped = {
  dropped: [
    {
      service: "shop",
      module: "",
      function: "work",
      calls: 2,
      errors: 1,
      unmeasured: 0,
      sumMs: 10,
      histogram: { "74": 2 },
      failures: [{ name: "E", message: "m", calls: 1 }],
    },
    {
      service: "shop",
      module: "",
      function: "other",
      calls: 1,
      errors: 0,
      unmeasured: 0,
      sumMs: 5,
      histogram: { "74": 1 },
      failures: [],
    },
  ],
};

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
  it("lists each flush that D1 rejects, with the reason", async () => {
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
  it("sends the flush at once, and its calls are counted once", async () => {
    const sent = await watchQueue();
    expect(await request("POST", `/${id}/replay`)).toEqual({ status: 202, body: { replayed: id } });
    await vi.waitFor(() => expect(sent).toEqual([message]));
    await deliver(sent);
    expect(await callsInD1()).toEqual({ work: 2, other: 1 });
    expect(await letters()).toEqual([]);
    expect(await alarmTime()).toBeNull();
  });

  it("leaves the dead letter where it is if D1 has lost it again before the buffer confirms it", async () => {
    const confirm = async () => {
      await env.DB.exec("DELETE FROM flushes");
      return [1];
    };
    await deliver([message], { env: envWith({ BUFFER: buffersThat({ confirm }) }) });
    expect(await letters()).toHaveLength(1);
  });
});

describe("DELETE /dead-letters/:id", () => {
  it("drops the flush and answers by how much each counter falls", async () => {
    expect(await calls()).toEqual({ work: 2, other: 1 });
    const { status, body } = await request("DELETE", `/${id}`);
    expect(status).toBe(200);
    expect(body).toEqual(dropped);
    expect(await calls()).toEqual({});
    expect(await letters()).toEqual([]);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0, deadLetters: 0 });
  });

  it("completes a drop that was interrupted, and gives the same answer", async () => {
    const lost = new Error("Network connection lost.");
    const deaf = await drop(envWith({ BUFFER: buffersThat({ confirmDropped: () => Promise.reject(lost) }) }));
    expect([deaf.status, deaf.headers.get("Retry-After")]).toEqual([503, "5"]);
    expect(await letters()).toHaveLength(1);
    expect(await calls()).toEqual({});
    expect(await request("DELETE", `/${id}`)).toEqual({ status: 200, body: dropped });
    expect(await letters()).toEqual([]);
  });

  it("stays dropped and gives the same answer if the queue brings a copy before the buffer is told, and D1 then loses all", async () => {
    const lost = new Error("Network connection lost.");
    await drop(envWith({ BUFFER: buffersThat({ confirmDropped: () => Promise.reject(lost) }) }));
    await deliver([message]);
    expect(await letters()).toEqual([]);
    expect(await request("DELETE", `/${id}`)).toEqual({ status: 200, body: dropped });
    await env.DB.exec("DELETE FROM flushes");
    expect(await recallLost(env)).toEqual([]);
    expect(await calls()).toEqual({});
    expect(await buffer().health()).toMatchObject({ recalledFlushes: 1 });
    await carryToD1();
    expect(await callsInD1()).toEqual({});
  });

  it("gives a repeated request the same answer, also after a restart of the buffer, and drops nothing more", async () => {
    await request("DELETE", `/${id}`);
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await evictDurableObject(buffer());
    expect(await request("DELETE", `/${id}`)).toEqual({ status: 200, body: dropped });
    expect(await calls()).toEqual({ work: 1 });
    await carryToD1();
    expect(await request("DELETE", `/${id}`)).toEqual({ status: 200, body: dropped });
    expect(await callsInD1()).toEqual({ work: 1 });
    expect((await request("POST", `/${id}/replay`)).status).toBe(404);
  });

  it("forgets the answer after 72 hours, and then there is no such dead letter", async () => {
    await request("DELETE", `/${id}`);
    await runInDurableObject(buffer(), (_, state) => {
      state.storage.sql.exec("UPDATE dropped SET dropped_at = dropped_at - 72 * 3600000");
    });
    await retain(env);
    expect((await request("DELETE", `/${id}`)).status).toBe(404);
  });

  it("gives two simultaneous requests the same answer", async () => {
    let arrived = 0;
    const { promise: bothAreThere, resolve } = Promise.withResolvers<void>();
    const DB = dbWith(async (real, statements) => {
      if (++arrived === 2) resolve();
      await bothAreThere;
      return real(statements);
    });
    for (const answer of await Promise.all([drop(envWith({ DB })), drop(envWith({ DB }))])) {
      expect([answer.status, await answer.json()]).toEqual([200, dropped]);
    }
    expect(await calls()).toEqual({});
  });

  it("gives the same answer if D1 committed but its answer was lost", async () => {
    expect((await drop(envWith({ DB: dbLosingAnswers() }))).status).toBe(503);
    expect(await request("DELETE", `/${id}`)).toEqual({ status: 200, body: dropped });
  });

  it("sums the minutes of each function and of each failure", async () => {
    const failing = { function: "third", durationMs: 0.25, error: { name: "E", message: "m" } };
    await acknowledged([
      { ...failing, at: Date.now() - 60_000 },
      { ...failing, at: Date.now() - 120_000, durationMs: 0 },
    ]);
    await letTimePass();
    await ringAlarm();
    await deliver((await sentMessages()).slice(1), {
      queue: "metrics-collector-dead-letters",
      env: envWith({ DB: dbFailingAt(1) }),
    });
    const { body } = await request("DELETE", `/${(await letters())[1]!.id}`);
    expect(body).toEqual({
      dropped: [
        {
          service: "shop",
          module: "",
          function: "third",
          calls: 2,
          errors: 2,
          unmeasured: 1,
          sumMs: 0.25,
          histogram: { "-65": 1 },
          failures: [{ name: "E", message: "m", calls: 2 }],
        },
      ],
    });
    expect(await calls()).toEqual({ work: 2, other: 1 });
  });

  it("does not change the last applied flush, even after a retention job", async () => {
    const lastFlushAt = async () => (await getJson("/health"))["lastFlushAt"];
    await request("DELETE", `/${id}`);
    expect(await lastFlushAt()).toBeNull();
    await acknowledged([{ function: "third", durationMs: 1 }]);
    await carryToD1();
    const taken = await lastFlushAt();
    expect(taken).not.toBeNull();
    await acknowledged([{ function: "fourth", durationMs: 1 }]);
    await letTimePass();
    await ringAlarm();
    await deliver(await sentMessages(), {
      queue: "metrics-collector-dead-letters",
      env: envWith({ DB: dbFailingAt(1) }),
    });
    await request("DELETE", `/${(await letters())[0]!.id}`);
    expect(await lastFlushAt()).toBe(taken);
    await retain(env);
    expect(await lastFlushAt()).toBe(taken);
    expect(await calls()).toEqual({ third: 1 });
  });

  it("prevents late copies of the dropped flush from being applied", async () => {
    await request("DELETE", `/${id}`);
    await deliver([message]);
    expect(await callsInD1()).toEqual({});
    const { epoch, n } = await buffer().settledBelow();
    await raiseLowWatermark(env.DB, epoch, n);
    await deliver([message]);
    expect(await callsInD1()).toEqual({});
  });

  it("does not drop a flush that D1 has applied in the meantime", async () => {
    await deliver([message], { env: envWith({ BUFFER: unreachableBuffers() }) });
    expect(await request("DELETE", `/${id}`)).toMatchObject({
      status: 409,
      body: { error: { code: "already_applied" } },
    });
    expect(await calls()).toEqual({ work: 2, other: 1 });
    expect(await letters()).toEqual([]);
  });

  it("does not drop a flush that is not a dead letter", async () => {
    await acknowledged([{ function: "third", durationMs: 1 }]);
    await letTimePass();
    await ringAlarm();
    const onItsWay = id.replace(/:1$/, ":2");
    expect(await request("DELETE", `/${onItsWay}`)).toMatchObject({ status: 404 });
    expect(await calls()).toEqual({ work: 2, other: 1, third: 1 });
  });
});

it.each(["x", "x:1", ":1", "x:0", "x:1.5", "x:99999999999999999999", "%00:1", "'--:1"])(
  "answers 404 for the unknown dead letter %s",
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
