/** Batches of one service that arrive at the same moment are sent to the buffer together. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { OVERFLOW } from "../../src/buffer/known-functions.ts";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { brokenGroup, together } from "../model/together.ts";
import { acknowledged, buffer, calls, getJson, metrics, post, type PostOptions } from "../worker.ts";

const call = (name = "work") => ({ function: name, durationMs: 1 });
const callsOfMany = (count: number, prefix = "f") =>
  Array.from({ length: count }, (_, i) => call(`${prefix}${i}`));

type Sent = [samples: unknown[], options?: PostOptions];

/** Posts the batches at the same moment. Returns the status and the JSON of each answer. */
async function send(...batches: Sent[]) {
  const answers = await together("ends well", () =>
    Promise.all(batches.map(([samples, options]) => post(samples, options))),
  );
  return Promise.all(
    answers.map(async (answer) => ({ status: answer.status, ...(await answer.json<object>()) })),
  );
}

const rows = <Row extends Record<string, SqlStorageValue>>(query: string) =>
  runInDurableObject(buffer(), (_, { storage: { sql } }) => sql.exec<Row>(query).toArray());

/** Fills the buffer until only so many bytes are free. */
async function leaveRoom(bytes: number): Promise<void> {
  await rows(`INSERT INTO pending (items, received_at, bytes, deltas)
    VALUES (0, ${Date.now()}, ${bufferLimits.pendingBytes - bytes}, '[]')`);
  await evictDurableObject(buffer());
}

let restore = () => {};
afterEach(() => restore());

const recorded = { status: 202, accepted: 1, rejected: 0, reasons: [], duplicate: false };

describe("batches that arrive together", () => {
  it("are merged into one row", async () => {
    const answers = await send(...Array.from({ length: 8 }, (_, i): Sent => [[call()], { key: `k${i}` }]));
    expect(answers).toEqual(answers.map(() => recorded));
    expect(await rows("SELECT items, bytes = length(deltas) AS isSized FROM pending")).toEqual([
      { items: 8, isSized: 1 },
    ]);
    expect(await calls()).toEqual({ work: 8 });
  });

  it("each get the answer that they would get alone", async () => {
    const bad = { function: "bad", durationMs: -1 };
    const old = await acknowledged([call("old"), bad], { key: "old" });
    const [again, conflict, partly, without, empty] = await send(
      [[call("old"), bad], { key: "old" }],
      [[call("other")], { key: "old" }],
      [[call("partly"), call("partly"), bad], { key: "new" }],
      [[call("without a key"), bad]],
      [[], { key: "empty" }],
    );
    expect(again).toEqual({ status: 202, ...old, duplicate: true });
    expect(conflict).toMatchObject({ status: 409, error: { code: "key_reused" } });
    expect(partly).toMatchObject({ ...recorded, accepted: 2, rejected: 1, reasons: [{ index: 2 }] });
    expect(without).toMatchObject({ ...recorded, rejected: 1, reasons: [{ index: 1 }] });
    expect(empty).toEqual({ ...recorded, accepted: 0 });
    expect(await calls()).toEqual({ old: 1, partly: 2, "without a key": 1 });
    expect(await buffer().health()).toMatchObject({ bufferedSamples: 4, rejectedSamples: { invalid: 3 } });
    expect(await acknowledged([], { key: "empty" })).toMatchObject({ duplicate: true });
  });

  it("are recorded even if all others of their group are duplicates", async () => {
    await acknowledged([call()], { key: "old" });
    const answers = await send([[call()], { key: "old" }], [[call("new")], { key: "new" }]);
    expect(answers).toEqual([{ ...recorded, duplicate: true }, recorded]);
    expect(await calls()).toEqual({ work: 1, new: 1 });
  });

  it("count once if two are the same, and the second answer says that it is a duplicate", async () => {
    const answers = await send([[call()], { key: "k" }], [[call("other")]], [[call()], { key: "k" }]);
    expect(answers).toEqual([recorded, recorded, { ...recorded, duplicate: true }]);
    expect(await calls()).toEqual({ work: 1, other: 1 });
  });

  it("are recorded separately if their services differ, even under the same key", async () => {
    const of = (service: string): Sent => [[call(service)], { service, key: "k" }];
    expect(await send(of("shop"), of("bank"), of("shop2"))).toEqual([recorded, recorded, recorded]);
    expect((await metrics()).map((row) => `${row.service} ${row.function} ${row.calls}`).sort()).toEqual([
      "bank bank 1",
      "shop shop 1",
      "shop2 shop2 1",
    ]);
  });

  it("become several rows if they do not fit into one, and only a batch that fits into none is rejected", async () => {
    const service = "s".repeat(ingestLimits.serviceLength);
    const large = (prefix: string): Sent => [callsOfMany(2_000, prefix.padEnd(150, "f")), { service }];
    const [a, b, tooLarge] = await send(large("a"), large("b"), [
      callsOfMany(5_000, "f".repeat(150)),
      { service },
    ]);
    for (const each of [a, b]) expect(each).toEqual({ ...recorded, accepted: 2_000 });
    expect(tooLarge).toMatchObject({ status: 413, error: { code: "batch_too_large" } });
    expect(await rows("SELECT items FROM pending")).toEqual([{ items: 2_000 }, { items: 2_000 }]);
    expect((await metrics()).reduce((sum, row) => sum + row.calls, 0)).toBe(4_000);
  });

  it("share the free places for functions, and count as overflow beyond them", async () => {
    await acknowledged(callsOfMany(bufferLimits.functionsPerService - 1));
    const both = { ...recorded, accepted: 2 };
    expect(await send([[call("a"), call("f0")]], [[call("b"), call("f0")]])).toEqual([both, both]);
    expect(await calls()).toMatchObject({ f0: 3, a: 1, [OVERFLOW]: 1 });
    expect(await getJson("/health")).toMatchObject({ overflow: ["shop"] });
  });

  it("never bind a text of 2 MB to a statement, however long their answers are", async () => {
    let longest = 0;
    await runInDurableObject(buffer(), (_, { storage: { sql } }) => {
      const ofSql = Object.getPrototypeOf(sql) as SqlStorage;
      const { exec } = ofSql;
      restore = () => void (ofSql.exec = exec);
      ofSql.exec = function (this: SqlStorage, ...args: Parameters<typeof exec>) {
        for (const each of args) if (typeof each === "string") longest = Math.max(longest, each.length);
        return exec.apply(this, args);
      } as typeof exec;
    });
    const bad = { function: '"'.repeat(29) + "\u0001", durationMs: 1 };
    const batch = [call(), ...Array.from({ length: ingestLimits.reasonsPerBatch }, () => bad)];
    const answers = await send(...Array.from({ length: 64 }, (_, i): Sent => [batch, { key: `k${i}` }]));
    for (const answer of answers) expect(answer).toMatchObject({ status: 202, accepted: 1, rejected: 100 });
    expect(longest).toBeGreaterThan(100_000);
    expect(longest).toBeLessThan(2_000_000);
    expect(await acknowledged(batch, { key: "k63" })).toEqual({
      ...answers[63],
      status: undefined,
      duplicate: true,
    });
  });

  it("are accepted if they fit into the buffer, even if a larger one does not", async () => {
    await leaveRoom(20_000);
    const [large, ...small] = await send(
      [callsOfMany(400)],
      ...["a", "b", "c"].map((name): Sent => [[call(name)]]),
    );
    expect(large).toMatchObject({ status: 503, error: { code: "overloaded" } });
    expect(small).toEqual([recorded, recorded, recorded]);
    expect(await calls()).toEqual({ a: 1, b: 1, c: 1 });
  });

  it("are rejected by a full buffer, except for duplicates, and accepted once there is room", async () => {
    await acknowledged([call()], { key: "old" });
    await leaveRoom(0);
    const batches = ["old", "a", "b"].map((key): Sent => [[call()], { key }]);
    const full = { status: 503, error: { code: "overloaded" } };
    expect(await send(...batches)).toMatchObject([{ ...recorded, duplicate: true }, full, full]);
    await rows("DELETE FROM pending WHERE items = 0");
    await evictDurableObject(buffer());
    expect(await send(...batches)).toEqual([{ ...recorded, duplicate: true }, recorded, recorded]);
    expect(await calls()).toEqual({ work: 3 });
  });
});

it("the buffer stores none of the batches of a group that fails, and asks for each of them again", async () => {
  const { batches, ...broken } = brokenGroup("half-way", "shop", "k");
  const both = [...batches, { ...batches[0]!, key: "l" }];
  expect(await buffer().recordGroup({ ...broken, batches: both })).toEqual([
    { status: "send_again" },
    { status: "send_again" },
  ]);
  expect(await send([[call()], { key: "k" }], [[call()], { key: "l" }])).toEqual([recorded, recorded]);
});

it("a group that fails leaves nothing behind, in storage or in memory", async () => {
  const broken = { ...brokenGroup("half-way", "shop", "k"), functions: ["\nbroken"] };
  const [outcome] = await Promise.allSettled([buffer().recordGroup(broken)]);
  expect(outcome.status).toBe("rejected");
  expect(await send([[call()], { key: "k" }])).toEqual([recorded]);
  expect(await buffer().health()).toMatchObject({ bufferedSamples: 1 });
  expect(await rows("SELECT name FROM known_functions")).toEqual([{ name: "work" }]);
  await evictDurableObject(buffer());
  expect(await buffer().health()).toMatchObject({ bufferedSamples: 1 });
});

it("no batch joins a group whose sending request was ended by force, and its batches get 503", async () => {
  const { setImmediate, setTimeout } = globalThis;
  const never = vi.fn<() => void>();
  const soon = (handler: () => void, ms: number) => setTimeout(handler, ms / 1_000);
  Object.assign(globalThis, { setImmediate: never, setTimeout: soon });
  restore = () => void Object.assign(globalThis, { setImmediate, setTimeout });
  const lost = post([call("lost")], { key: "lost" });
  while (never.mock.calls.length === 0) await scheduler.wait(1);
  restore();
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    vi.setSystemTime(Date.now() + 1_001);
    expect(await send([[call()], { key: "next" }])).toEqual([recorded]);
  } finally {
    vi.useRealTimers();
  }
  const answer = await lost;
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "buffer_unavailable" } });
  expect(await send([[call("lost")], { key: "lost" }])).toEqual([recorded]);
  expect(await calls()).toEqual({ work: 1, lost: 1 });
});
