/** Cumulative points in the buffer: each call counts once, whatever comes again, dies or stands still, and idle senders cost nothing. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bufferLimits } from "../../src/buffer/limits.ts";
import { failCommits, failStatements } from "../faults.ts";
import { calls, metricsJson, type PointOptions } from "../ingest/otlp/points.ts";
import { sendOtlp } from "../ingest/otlp/sample.ts";
import { buffer, calls as callsShown, fetchWorker, getJson } from "../worker.ts";

const HOUR = 3_600_000;
let start: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  start = Date.now() - 1_000;
});
afterEach(() => void vi.useRealTimers());

/** Sends what a process counted so far. Returns the body. */
async function send(ok: number, options: PointOptions = {}, name = "pay"): Promise<string> {
  const body = metricsJson([calls(name, ok, 0, { start, ...options })], options);
  await sendAgain(body);
  return body;
}

async function sendAgain(body: string, status = 200): Promise<string> {
  const response = await sendOtlp({ path: "/v1/metrics", contentType: "application/json" }, body);
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.anything()]);
  return text;
}

function wait(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

interface Rows {
  pending: number;
  streams: number;
  keys: number;
}

/** Numbers of rows in the buffer. */
function rows(): Promise<Rows> {
  return runInDurableObject(buffer(), (_, { storage: { sql } }) => {
    const tables = sql
      .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
      .toArray();
    const count = (prefix: string) =>
      tables
        .filter(({ name }) => name.startsWith(prefix))
        .reduce(
          (sum, { name }) => sum + sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${name}`).one().n,
          0,
        );
    return { pending: count("pending"), streams: count("streams_"), keys: count("keys_") };
  });
}

it("a process that stands still costs no rows", async () => {
  await send(3);
  const before = await rows();
  expect(before).toEqual({ pending: 1, streams: 1, keys: 0 });
  for (let i = 0; i < 5; i++) {
    wait(60_000);
    await send(3);
  }
  expect(await rows()).toEqual(before);
  wait(60_000);
  await send(5);
  expect(await rows()).toEqual({ pending: 2, streams: 1, keys: 0 });
  expect(await callsShown()).toEqual({ pay: 5 });
});

it("a process that stands still for weeks is not forgotten, and its next call counts", async () => {
  await send(3);
  for (let day = 0; day < 14; day++) {
    wait(24 * HOUR + 60_000);
    await send(3);
  }
  wait(60_000);
  await send(4);
  expect(await callsShown()).toEqual({ pay: 4 });
});

it("a process that said nothing for 72 hours is forgotten, with its rows", async () => {
  await send(3);
  wait(97 * HOUR);
  await send(1, { resource: { "service.instance.id": "other" }, start: Date.now() - 1_000 });
  expect(await rows()).toMatchObject({ streams: 1 });
  // It began too long ago to know whether its calls were counted before.
  await send(9);
  wait(60_000);
  await send(10);
  expect(await callsShown()).toEqual({ pay: 3 + 1 + 1 });
});

it("points that come again, late or twice add nothing", async () => {
  const first = await send(3);
  wait(60_000);
  const second = await send(5);
  for (const body of [second, first, second, first]) await sendAgain(body);
  expect(await callsShown()).toEqual({ pay: 5 });
});

it("each process of a service counts for itself", async () => {
  await send(3, { resource: { "service.instance.id": "a" } });
  await send(4, { resource: { "service.instance.id": "b" } });
  await send(5, { service: "bank" });
  wait(60_000);
  await send(4, { resource: { "service.instance.id": "a" } });
  await send(4, { resource: { "service.instance.id": "b" } });
  expect(await getJson("/services")).toMatchObject({
    services: [
      { service: "bank", calls: 5 },
      { service: "shop", calls: 8 },
    ],
  });
});

it("two processes that cannot be told apart are told to the sender", async () => {
  await send(3);
  wait(60_000);
  const text = await sendAgain(metricsJson([calls("pay", 9, 0, { start: start - HOUR })]));
  expect(JSON.parse(text)).toMatchObject({
    partialSuccess: {
      rejectedDataPoints: 0,
      errorMessage: expect.stringMatching(/service\.instance\.id/) as string,
    },
  });
  expect(await callsShown()).toEqual({ pay: 3 });
});

it("a write that fails half-way counts nothing, and the same bytes count when they come again", async () => {
  await send(1);
  wait(60_000);
  const body = metricsJson([calls("pay", 4, 0, { start })]);
  for (const fail of [
    () => failStatements("INTO streams_"),
    () => failStatements("INTO pending"),
    failCommits,
  ]) {
    const restore = await fail();
    await sendAgain(body, 503);
    restore();
    expect(await callsShown()).toEqual({ pay: 1 });
  }
  await evictDurableObject(buffer());
  await sendAgain(body);
  await evictDurableObject(buffer());
  await sendAgain(body);
  expect(await callsShown()).toEqual({ pay: 4 });
});

it("a full buffer refuses points and remembers none of them", async () => {
  const { pendingBytes } = bufferLimits;
  Object.assign(bufferLimits, { pendingBytes: 10 });
  const body = metricsJson([calls("pay", 4, 0, { start })]);
  await sendAgain(body, 503);
  Object.assign(bufferLimits, { pendingBytes });
  await sendAgain(body);
  expect(await callsShown()).toEqual({ pay: 4 });
});

it("after a deletion, only later calls count", async () => {
  await send(3);
  expect((await fetchWorker("/metrics/shop", { method: "DELETE" })).status).toBe(200);
  wait(60_000);
  await send(5);
  expect(await callsShown()).toEqual({ pay: 2 });
});

it("functions above the cap count under one name", async () => {
  const { functionsPerService } = bufferLimits;
  Object.assign(bufferLimits, { functionsPerService: 1 });
  try {
    const body = (ok: number) =>
      metricsJson(["a", "b", "c"].map((name) => calls(name, ok, 0, { start, time: Date.now() })));
    await sendAgain(body(1));
    wait(60_000);
    await sendAgain(body(3));
    expect(await callsShown()).toEqual({ a: 3, __overflow__: 6 });
  } finally {
    Object.assign(bufferLimits, { functionsPerService });
  }
});

it("a process with many streams fills several rows, and several pending rows", async () => {
  const { storedBytesPerRow } = bufferLimits;
  Object.assign(bufferLimits, { storedBytesPerRow: 100_000 });
  try {
    const many = (ok: number) => {
      const metrics = Array.from({ length: 4_000 }, (_, i) =>
        calls(`${"function ".repeat(20)}${i % 500}`, ok, 0, { start, time: Date.now() }),
      ).map((metric, i) => ({ ...metric, unit: String(i) }));
      return metricsJson(metrics);
    };
    await sendAgain(many(1));
    wait(60_000);
    await sendAgain(many(2));
    const total = Object.values(await callsShown()).reduce((sum, each) => sum + each, 0);
    expect(total).toBe(8_000);
    expect((await rows()).streams).toBeGreaterThan(1);
  } finally {
    Object.assign(bufferLimits, { storedBytesPerRow });
  }
});
