import { applyD1Migrations, type D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { readHealth } from "../../src/admin/health.ts";
import { app } from "../../src/app.ts";
import { buffersThat, dbWith, envWith, queueThat, replaceBufferEnv } from "../faults.ts";
import {
  carryToD1,
  acknowledged,
  buffer,
  calls,
  callsInD1,
  deliver,
  letTimePass,
  post,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

// As the platform words them.
const NO_ROWS_LEFT = "D1_ERROR: exceeded free tier daily row write limit";
const NO_READS_LEFT = "D1_ERROR: exceeded free tier daily row read limit";
const NO_OPERATIONS_LEFT = "Queue send failed: the account has exceeded its daily limit (10253)";
const NO_OBJECT_ROWS_LEFT = "Exceeded allowed rows written in Durable Objects free tier.";

const problems = async (replaced: Partial<Env> = {}) => (await readHealth(envWith(replaced))).problems;

async function sealed(): Promise<string[]> {
  await acknowledged([{ function: "work", durationMs: 5 }]);
  await letTimePass();
  await ringAlarm();
  return sentMessages();
}

describe("when a daily limit of the Free plan is reached", () => {
  const full = envWith({
    DB: dbWith(() => {
      throw new Error(NO_ROWS_LEFT);
    }),
  });

  it.each(["metrics-collector-flushes", "metrics-collector-dead-letters"])(
    "for rows written, flushes of %s wait in the buffer, are no dead letters, and reach D1 the next day",
    async (queue) => {
      const messages = await sealed();
      expect(await deliver(messages, { queue, env: full, attempts: 9 })).toEqual({
        acked: ["0"],
        retried: [],
      });
      expect(await problems()).toEqual([
        expect.stringMatching(
          /^D1 has refused flushes since 20.*limit of 100,000 rows written to D1 a day.*ends by itself at 00:00 UTC/,
        ),
      ]);
      await acknowledged([{ function: "work", durationMs: 5 }]);
      expect(await calls()).toEqual({ work: 2 });
      expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, deadLetters: 0 });
      await letTimePass();
      await ringAlarm();
      await deliver(await sentMessages());
      expect(await callsInD1()).toEqual({ work: 2 });
      expect(await problems()).toEqual([]);
    },
  );

  it("for queue operations, GET /health says so until the queue takes a flush", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await replaceBufferEnv({
      QUEUE: queueThat(() => Promise.reject(new Error(NO_OPERATIONS_LEFT))),
    });
    await ringAlarm();
    expect(await problems()).toEqual([
      expect.stringMatching(/^The queue has refused flushes since 20.*10,000 queue operations a day/),
    ]);
    expect(await calls()).toEqual({ work: 1 });
    await letTimePass();
    await ringAlarm();
    expect(await problems()).toEqual([]);
  });

  it("for rows read, reads are 503 and say which limit it looks like", async () => {
    const DB = dbWith(() => Promise.reject(new Error(NO_READS_LEFT)));
    const response = await app.request("/metrics", {}, envWith({ DB }));
    expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "300"]);
    expect(await response.json()).toMatchObject({
      error: {
        code: "daily_limit",
        message: expect.stringContaining("5 million rows read from D1") as string,
      },
    });
  });

  it("for the buffer, GET /health says so, and senders are told to send again", async () => {
    const BUFFER = buffersThat({
      health: () => Promise.reject(new Error(NO_OBJECT_ROWS_LEFT)),
      confirmed: () => Promise.reject(new Error(NO_OBJECT_ROWS_LEFT)),
      recordGroup: () => Promise.reject(new Error(NO_OBJECT_ROWS_LEFT)),
    });
    expect(await problems({ BUFFER })).toEqual([
      expect.stringMatching(
        /^The buffer cannot be used now\. .*100,000 rows written in Durable Objects a day/,
      ),
    ]);
    const response = await app.request(
      "/samples",
      {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": "k" },
        body: '{"service":"shop","samples":[{"function":"work","durationMs":5}]}',
      },
      envWith({ BUFFER }),
    );
    expect(response.status).toBe(503);
  });
});

describe("when D1's schema is older than this version needs", () => {
  const migrate = async () => {
    const { TEST_MIGRATIONS } = env as unknown as { TEST_MIGRATIONS: D1Migration[] };
    await env.DB.prepare("DELETE FROM d1_migrations WHERE name = '0003_closed_rollups.sql'").run();
    await applyD1Migrations(env.DB, TEST_MIGRATIONS);
  };

  it("ingest goes on, flushes wait and are no dead letters, and D1 gets them once it is migrated", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await carryToD1();
    await env.DB.prepare("DROP TABLE closed").run();
    const messages = await sealed();
    expect((await post([{ function: "work", durationMs: 5 }])).status).toBe(202);
    for (const queue of ["metrics-collector-flushes", "metrics-collector-dead-letters"]) {
      expect((await deliver(messages, { queue, attempts: 9 })).acked).toEqual(["0"]);
    }
    expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1, deadLetters: 0 });
    expect(await problems()).toEqual([
      expect.stringMatching(
        /^D1 has refused flushes .*"no such table: closed".*Run: npx metrics-collector deploy/,
      ),
    ]);
    const range = await app.request("/metrics/shop/work?from=-60d", {}, env);
    expect(range.status).toBe(503);
    expect(await range.json()).toMatchObject({ error: { code: "schema_outdated" } });
    await migrate();
    await letTimePass();
    await ringAlarm();
    await deliver(await sentMessages());
    expect(await callsInD1()).toEqual({ work: 3 });
    expect(await problems()).toEqual([]);
  });
});
