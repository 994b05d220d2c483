import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { dropDeadLetter, listDeadLetters } from "../../src/admin/dead-letters.ts";
import { app } from "../../src/app.ts";
import { retain } from "../../src/retention/retain.ts";
import {
  buffersThat,
  dbAway,
  dbFailingAt,
  dbWith,
  envWith,
  overloadedBuffers,
  replaceBufferEnv,
  unreachableBuffers,
} from "../faults.ts";
import { delta, inD1 } from "../flushes.ts";
import {
  acknowledged,
  buffer,
  calls,
  callsInD1,
  carryToD1,
  deliver,
  letTimePass,
  refused,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

async function health() {
  const response = await exports.default.fetch("https://metrics.example/health");
  return { httpStatus: response.status, ...(await response.json<Record<string, unknown>>()) };
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;

describe("GET /health", () => {
  it("is ok when nothing is buffered", async () => {
    expect(await health()).toEqual({
      httpStatus: 200,
      status: "ok",
      problems: [],
      bufferedSamples: 0,
      bufferedBytes: 0,
      oldestBufferedAt: null,
      unconfirmedFlushes: 0,
      oldestUnconfirmedAt: null,
      deadLetters: 0,
      recalledFlushes: 0,
      recalledSince: null,
      lostFlushes: 0,
      lostSince: null,
      lastFlushAt: null,
      lastRetentionAt: null,
      overflow: [],
      overflowOfServices: false,
      rejectedSamples: {},
      alertsEvaluatedAt: null,
      sinks: [],
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });

  it("tells how much is buffered and unconfirmed, and since when", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    expect(await health()).toMatchObject({ httpStatus: 200, bufferedSamples: 1, oldestBufferedAt: iso });
    await letTimePass();
    await ringAlarm();
    expect(await health()).toMatchObject({
      bufferedSamples: 0,
      unconfirmedFlushes: 1,
      oldestUnconfirmedAt: iso,
    });
    await deliver(await sentMessages());
    expect(await health()).toMatchObject({
      unconfirmedFlushes: 0,
      oldestUnconfirmedAt: null,
      lastFlushAt: iso,
    });
  });

  it("counts rejected samples by reason, which is no problem of the collector", async () => {
    await exports.default.fetch("https://metrics.example/samples", {
      method: "POST",
      body: JSON.stringify({
        service: "shop",
        samples: [
          { function: "work", durationMs: 5 },
          { function: "work", durationMs: -5 },
          { function: "work", durationMs: 5, at: Date.now() - 49 * 3_600_000 },
        ],
      }),
      headers: { "Content-Type": "application/json" },
    });
    expect(await health()).toMatchObject({
      httpStatus: 200,
      problems: [],
      rejectedSamples: { invalid: 1, too_late: 1 },
    });
  });

  it("tells when the last retention job ran", async () => {
    const at = Date.now() - 60_000;
    await retain(env, at);
    expect(await health()).toMatchObject({ httpStatus: 200, lastRetentionAt: new Date(at).toISOString() });
  });

  it("is 503 when the last retention job failed in part or did not finish its work", async () => {
    await retain(envWith({ BUFFER: unreachableBuffers() }));
    const problems = [expect.stringContaining("The last retention job did not finish its work")];
    expect(await health()).toMatchObject({ httpStatus: 503, problems });
    await retain(env);
    expect(await health()).toMatchObject({ httpStatus: 200, problems: [] });
    await inD1(delta(Date.now() - 5 * 86_400_000));
    await retain(env, Date.now(), { maxChunks: 0 });
    expect(await health()).toMatchObject({ httpStatus: 503, problems });
  });

  it("is 503 when no retention job has ended for hours", async () => {
    await retain(env, Date.now() - 4 * 3_600_000);
    const problems = [expect.stringContaining("The hourly retention job has not run for more than 3 hours")];
    expect(await health()).toMatchObject({ httpStatus: 503, problems });
  });

  it("names a service whose client counts functions together, as it names one of which the buffer does", async () => {
    const sum = { calls: 2, sumMs: 2, minMs: 1, maxMs: 1, histogram: { "-1": 2 } };
    await acknowledged([{ function: "__overflow__", ...sum }], { service: "many" });
    expect(await health()).toMatchObject({ httpStatus: 200, overflow: ["many"], overflowOfServices: false });
  });

  it("reports no overflow because of a function that has its name", async () => {
    const call = { function: "__overflow__", durationMs: 5 };
    await refused([call]);
    await acknowledged([{ ...call, module: "app/main" }]);
    expect(await health()).toMatchObject({ httpStatus: 200, overflow: [], overflowOfServices: false });
  });

  it("says that there are too many services, and does not list the name that stands for them", async () => {
    const few = buffersThat({
      health: async () => ({ ...(await buffer().health()), overflow: ["shop", "__overflow__"] }),
    });
    const response = await ask("/health", envWith({ BUFFER: few }));
    expect(await response.json()).toMatchObject({ overflow: ["shop"], overflowOfServices: true });
  });

  describe("is 503 when D1 lost what it had confirmed", () => {
    const flushed = async () => {
      await acknowledged([{ function: "work", durationMs: 5 }]);
      await carryToD1();
    };

    it("because it was emptied, and has it sent again", async () => {
      await flushed();
      expect(await health()).toMatchObject({ httpStatus: 200, problems: [] });
      await env.DB.batch(
        ["flushes", "epochs", "functions", "rollups"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
      );
      expect(await health()).toMatchObject({
        httpStatus: 503,
        problems: [expect.stringMatching(/^D1 lacks 1 flush that it had confirmed.* sends them again/)],
        recalledFlushes: 1,
        recalledSince: iso,
        lostFlushes: 0,
      });
      expect(await calls()).toEqual({ work: 1 });
      await carryToD1();
      expect(await health()).toMatchObject({ httpStatus: 200, problems: [], recalledFlushes: 0 });
      expect(await callsInD1()).toEqual({ work: 1 });
    });

    it("because it was restored to an earlier time, and the buffer keeps nothing", async () => {
      await flushed();
      await retain(env);
      await flushed();
      await env.DB.prepare("DELETE FROM flushes WHERE n = 2").run();
      await replaceBufferEnv({ KEEP_FLUSHES_HOURS: "0" });
      await runInDurableObject(buffer(), (instance, { storage: { sql } }) => {
        instance.confirm(sql.exec<{ epoch: string }>("SELECT epoch FROM identity").one().epoch, [1, 2]);
      });
      expect(await health()).toMatchObject({
        httpStatus: 503,
        problems: [expect.stringMatching(/^D1 lacks 1 flush that it had confirmed after .* kept no longer/)],
        recalledFlushes: 0,
        lostFlushes: 1,
        lostSince: iso,
      });
    });

    it("because it has no tables", async () => {
      await flushed();
      await env.DB.batch(["flushes", "epochs"].map((table) => env.DB.prepare(`DROP TABLE ${table}`)));
      expect(await health()).toMatchObject({
        httpStatus: 503,
        problems: [
          expect.stringMatching(
            /^D1 cannot be read\. D1 says "no such table: (flushes|epochs)": .* Run: npx metrics-collector deploy/,
          ),
        ],
      });
      const response = await ask("/metrics", env);
      expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "300"]);
      expect(await response.json()).toMatchObject({
        error: {
          code: "schema_outdated",
          message: expect.stringContaining("Run: npx metrics-collector deploy") as string,
        },
      });
    });

    it("but not because retention deleted ledger entries, or because a dead letter was dropped", async () => {
      await flushed();
      await flushed();
      await retain(env);
      expect(await health()).toMatchObject({ httpStatus: 200, problems: [] });
      await acknowledged([{ function: "work", durationMs: 5 }]);
      await letTimePass();
      await ringAlarm();
      const refusing = envWith({ DB: dbFailingAt(0) });
      await deliver(await sentMessages(), { queue: "metrics-collector-dead-letters", env: refusing });
      const [letter] = await listDeadLetters(env);
      await dropDeadLetter(env, letter!.id);
      expect(await health()).toMatchObject({ httpStatus: 200, problems: [] });
    });
  });

  it("is 503 when a token or a setting is invalid, and names it", async () => {
    const wrong = { INGEST_TOKENS: "right,shop=", READ_TOKENS: "reader", MAX_ITEMS: "ten" };
    const response = await ask("/health", envWith(wrong), { Authorization: "Bearer reader" });
    expect(response.status).toBe(503);
    const { problems } = await response.json<{ problems: string[] }>();
    expect(problems).toEqual([
      "Entry 2 of INGEST_TOKENS has a service but no token. It is ignored.",
      expect.stringMatching(/^MAX_ITEMS must be a whole number/),
    ]);
  });

  it("is 503 when D1 rejects a flush", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    const refusing = envWith({ DB: dbFailingAt(0) });
    await deliver(await sentMessages(), { queue: "metrics-collector-dead-letters", env: refusing });
    expect(await health()).toMatchObject({
      httpStatus: 503,
      status: "degraded",
      deadLetters: 1,
      problems: ["D1 refuses 1 flush. GET /dead-letters says why."],
    });
  });

  it("is 503 when a flush has not reached D1 for a long time", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await ringAlarm();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 20 * 60_000 });
    try {
      expect(await health()).toMatchObject({
        httpStatus: 503,
        problems: [expect.stringContaining("Look at the queue")],
      });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("while the buffer or D1 does not answer", () => {
  beforeEach(async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await carryToD1();
    await acknowledged([{ function: "work", durationMs: 5 }]);
  });

  const nothingOfTheBuffer = {
    bufferedSamples: null,
    bufferedBytes: null,
    oldestBufferedAt: null,
    unconfirmedFlushes: null,
    oldestUnconfirmedAt: null,
    deadLetters: null,
    overflow: null,
    overflowOfServices: null,
    rejectedSamples: null,
  };

  it.each([
    [
      "D1",
      { DB: dbAway() },
      { bufferedSamples: 1, oldestBufferedAt: iso, lastFlushAt: null },
      ["D1 does not answer"],
    ],
    ["the buffer", { BUFFER: unreachableBuffers() }, nothingOfTheBuffer, ["The buffer does not answer"]],
    [
      "an overloaded buffer",
      { BUFFER: overloadedBuffers() },
      nothingOfTheBuffer,
      ["The buffer is overloaded"],
    ],
    [
      "any of it",
      { DB: dbAway(), BUFFER: unreachableBuffers() },
      { ...nothingOfTheBuffer, lastFlushAt: null, lastRetentionAt: null },
      ["The buffer does not answer", "D1 does not answer"],
    ],
  ])("(%s) GET /health is 503 and says what cannot be known", async (_, replaced, known, problems) => {
    const response = await ask("/health", envWith(replaced));
    expect(response.status).toBe(503);
    const answer = await response.json<{ problems: string[] }>();
    expect(answer).toMatchObject({ status: "degraded", ...known });
    expect(answer.problems).toEqual(problems.map((problem) => expect.stringContaining(problem) as string));
    expect(JSON.stringify(answer)).not.toMatch(/queued|unreachable|SELECT/);
  });

  it.each(["/metrics", "/metrics?from=-1h", "/metrics?format=prometheus", "/metrics/shop/work", "/services"])(
    "GET %s is 503 with Retry-After",
    async (path) => {
      for (const replaced of [
        { DB: dbAway() },
        { BUFFER: unreachableBuffers() },
        { BUFFER: overloadedBuffers() },
      ]) {
        const response = await ask(path, envWith(replaced));
        expect(response.status).toBe(503);
        expect(response.headers.get("Retry-After")).toBe("5");
        const { error } = await response.json<{ error: { code: string; message: string } }>();
        expect(error.code).toBe("unavailable");
        expect(error.message).toMatch(/^(D1|The buffer) does not answer now/);
        expect(error.message).not.toMatch(/queued|unreachable/);
      }
    },
  );

  it.each(["/search?q=work", "/metrics/shop/work/histogram", "/dead-letters"])(
    "GET %s is 503, too",
    async (path) => {
      const response = await ask(path, envWith({ BUFFER: unreachableBuffers() }));
      expect([response.status, response.headers.get("Retry-After")]).toEqual([503, "5"]);
    },
  );

  it("answers 500 for a bug of our own, which waiting does not cure", async () => {
    const broken = dbWith(() => env.DB.batch([env.DB.prepare("SELECT nothing FROM nowhere")]));
    expect((await ask("/metrics", envWith({ DB: broken }))).status).toBe(500);
    expect((await ask("/metrics", envWith({ DB: undefined as never }))).status).toBe(500);
  });
});

async function ask(path: string, replaced: Env, headers: Record<string, string> = {}): Promise<Response> {
  const request = new Request(`https://metrics.example${path}`, { headers });
  return app.fetch(request, replaced, createExecutionContext());
}
