import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { retain } from "../../src/retention/retain.ts";
import { raiseLowWatermark } from "../../src/store/ledger.ts";
import { dbFailingAt, dbWith, dbLosingAnswers, envWith, unreachableBuffers, watchQueue } from "../faults.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  metrics,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

/** Applying these takes four statements: totals, rollups, failures, ledger. */
const samples = [
  { function: "work", durationMs: 5 },
  { function: "work", durationMs: 7, error: { name: "ValueError", message: "An error occurred" } },
];
const STATEMENTS = 4;

/** Seals what is pending, and returns the messages of all flushes that are not confirmed. */
async function sealed(): Promise<string[]> {
  await letTimePass();
  await ringAlarm();
  return sentMessages();
}

/** Everything that D1 holds about the calls. If a flush is applied twice, any of it changes. */
async function stored() {
  const [functions, rollups, failures, flushes] = await env.DB.batch([
    env.DB.prepare(
      "SELECT name, calls, errors, sum_us, min_ms, max_ms, histogram FROM functions ORDER BY name",
    ),
    env.DB.prepare("SELECT sum(calls) AS calls, sum(errors) AS errors, sum(sum_us) AS sum_us FROM rollups"),
    env.DB.prepare("SELECT name, message, calls FROM failures"),
    env.DB.prepare("SELECT count(*) AS count FROM flushes"),
  ]);
  return {
    functions: functions!.results,
    rollups: rollups!.results[0],
    failures: failures!.results,
    flushes: flushes!.results[0],
  };
}

const once = {
  functions: [
    { name: "work", calls: 2, errors: 1, sum_us: 12_000, min_ms: 5, max_ms: 7, histogram: '{"74":1,"89":1}' },
  ],
  rollups: { calls: 2, errors: 1, sum_us: 12_000 },
  failures: [{ name: "ValueError", message: "An error occurred", calls: 1 }],
  flushes: { count: 1 },
};

let message: string;
beforeEach(async () => {
  await acknowledged(samples);
  [message] = (await sealed()) as [string];
});

describe("a flush is counted once", () => {
  it("when its message is delivered once", async () => {
    expect(await deliver([message])).toEqual({ acked: ["0"], retried: [] });
    expect(await stored()).toEqual(once);
  });

  it("when its message is delivered three times, in one batch and in several", async () => {
    expect(await deliver([message, message, message])).toEqual({ acked: ["0", "1", "2"], retried: [] });
    await deliver([message]);
    await deliver([message]);
    expect(await stored()).toEqual(once);
  });

  it("when the queue drops its message, and the alarm sends it again", async () => {
    await letTimePass();
    const sentAgain = await watchQueue();
    await ringAlarm();
    expect(sentAgain).toEqual([message]);
    await deliver(sentAgain);
    expect(await stored()).toEqual(once);
    expect(await calls()).toEqual({ work: 2 });
  });

  it.each(Array.from({ length: STATEMENTS + 1 }, (_, at) => at))(
    "when D1 fails before statement %i of its transaction",
    async (at) => {
      const result = await deliver([message], { env: envWith({ DB: dbFailingAt(at) }) });
      expect(result).toEqual({ acked: [], retried: ["0"] });
      expect(await callsInD1()).toEqual({});
      expect(await calls()).toEqual({ work: 2 });

      await deliver([message]);
      expect(await stored()).toEqual(once);
    },
  );

  it("when D1 commits it and the answer is lost", async () => {
    const result = await deliver([message], { env: envWith({ DB: dbLosingAnswers() }) });
    expect(result).toEqual({ acked: [], retried: ["0"] });
    expect(await calls()).toEqual({ work: 2 });
    expect(await deliver([message])).toEqual({ acked: ["0"], retried: [] });
    expect(await stored()).toEqual(once);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0 });
  });

  it("when it cannot be confirmed: its message comes again, writes nothing and confirms", async () => {
    const result = await deliver([message], { env: envWith({ BUFFER: unreachableBuffers() }) });
    expect(result).toEqual({ acked: [], retried: ["0"] });
    expect(await calls()).toEqual({ work: 2 });
    await deliver([message]);
    expect(await stored()).toEqual(once);
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 0 });
  });

  it("when a copy arrives after the low watermark has passed its id", async () => {
    await deliver([message]);
    const { epoch, n } = await buffer().settledBelow();
    expect(n).toBe(2);
    await raiseLowWatermark(env.DB, epoch, n);
    await env.DB.exec("DELETE FROM flushes");

    expect(await deliver([message])).toEqual({ acked: ["0"], retried: [] });
    expect(await stored()).toEqual({ ...once, flushes: { count: 0 } });
    expect(await calls()).toEqual({ work: 2 });
  });

  it("when it waits while later flushes are settled: the low watermark stays below it", async () => {
    await acknowledged([{ function: "later", durationMs: 1 }]);
    const [first, second] = (await sealed()) as [string, string];
    await deliver([second]);
    const { epoch, n } = await buffer().settledBelow();
    expect(n).toBe(1);
    await raiseLowWatermark(env.DB, epoch, n);
    await deliver([first, second]);
    expect(await callsInD1()).toEqual({ later: 1, work: 2 });
  });

  it("when it is a dead letter while the retention job runs: the low watermark stays below it", async () => {
    const refusing = envWith({ DB: dbFailingAt(0) });
    await deliver([message], { env: refusing, queue: "metrics-collector-dead-letters" });
    await acknowledged([{ function: "later", durationMs: 1 }]);
    await deliver((await sealed()).slice(1));
    await retain(env);
    const { epoch, n } = JSON.parse(message) as { epoch: string; n: number };
    expect(await buffer().replay(epoch, n)).toBe(true);
    expect(await deliver([message])).toEqual({ acked: ["0"], retried: [] });
    expect(await callsInD1()).toEqual({ later: 1, work: 2 });
  });
});

describe("several flushes of one delivery", () => {
  it("are applied in one transaction", async () => {
    await acknowledged([{ function: "other", durationMs: 1 }]);
    const messages = await sealed();
    expect(messages).toHaveLength(2);
    let transactions = 0;
    const counting = envWith({
      DB: new Proxy(env.DB, {
        get: (db, property) =>
          property === "batch"
            ? (statements: D1PreparedStatement[]) => (transactions++, db.batch(statements))
            : (statement: string) => db.prepare(statement),
      }),
    });
    expect(await deliver(messages, { env: counting })).toEqual({ acked: ["0", "1"], retried: [] });
    expect(transactions).toBe(1);
    expect(await callsInD1()).toEqual({ work: 2, other: 1 });
  });

  it("are applied one by one if D1 refuses one, and only that one comes again", async () => {
    await acknowledged([{ function: "other", durationMs: 1 }]);
    const [good, other] = (await sealed()) as [string, string];
    const poison = other.replace('"calls":1', '"calls":null');
    expect(await deliver([poison, good])).toEqual({ acked: ["1"], retried: ["0"] });
    expect(await callsInD1()).toEqual({ work: 2 });
    expect(await calls()).toEqual({ work: 2, other: 1 });
  });

  it("count exactly if only some of them are applied", async () => {
    await acknowledged(
      Array.from({ length: 900 }, (_, i) => ({
        function: `f${i}`,
        durationMs: 1,
        error: { name: "E", message: "m".repeat(500) },
      })),
    );
    const messages = await sealed();
    expect(messages.length).toBeGreaterThan(5);
    await deliver(messages.filter((_, i) => i % 2 === 0));
    const partly = await metrics();
    expect(partly).toHaveLength(901);
    expect(partly.reduce((sum, row) => sum + row.calls, 0)).toBe(902);
    await deliver(messages);
    const wholly = await callsInD1();
    expect(Object.values(wholly).reduce((sum, count) => sum + count, 0)).toBe(902);
  });
});

it("flushes of a lost storage do not confirm those of the new one that have the same ids", async () => {
  await acknowledged([{ function: "old", durationMs: 1 }]);
  const [, secondOld] = await sealed();
  await runInDurableObject(buffer(), (_, state) => state.storage.deleteAll());
  await evictDurableObject(buffer());
  await acknowledged([{ function: "new", durationMs: 1 }]);
  await sealed();
  await acknowledged([{ function: "newer", durationMs: 1 }]);
  const [firstNew] = await sealed();
  expect(await deliver([firstNew, secondOld])).toEqual({ acked: ["0", "1"], retried: [] });
  expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1 });
  expect(await calls()).toEqual({ old: 1, new: 1, newer: 1 });
  await deliver(await sentMessages());
  expect(await callsInD1()).toEqual({ old: 1, new: 1, newer: 1 });
});

it("a delivery without a flush does not ask D1", async () => {
  let transactions = 0;
  const DB = dbWith((real, statements) => {
    transactions++;
    return real(statements);
  });
  await deliver(["rubbish"], { env: envWith({ DB }) });
  expect(transactions).toBe(0);
});

it("a message that is not a flush is acked, and does not stop others", async () => {
  expect(await deliver(["rubbish", { epoch: 1 }, "null", message])).toEqual({
    acked: ["0", "1", "2", "3"],
    retried: [],
  });
  expect(await stored()).toEqual(once);
});
