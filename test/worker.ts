/** How tests speak to the Worker: over HTTP, as senders and readers do, and to its bindings as the platform does. */
import {
  createExecutionContext,
  createMessageBatch,
  evictDurableObject,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import worker from "../src/index.ts";
import type { SeriesSelector } from "../src/stats/series-id.ts";
import type { Answer } from "../src/buffer/idempotency-store.ts";
import type { FunctionMetrics } from "../src/api/function-metrics.ts";
import type { FunctionList } from "../src/api/list-functions.ts";
import { bufferFor } from "../src/buffer/buffers.ts";
import { encodeFlush } from "../src/flush.ts";

export const buffer = () => bufferFor(env, "shop");

export interface PostOptions {
  service?: string;
  key?: string;
}

/**
 * Sends a request to the Worker, in the test's own context. WARNING: requests with contexts of their own could not bring
 * batches to the buffer together, since the test runtime switches off that one may wake another
 * (`no_handle_cross_request_promise_resolution`). Real servers are for test/process.
 */
export function fetchWorker(path: string, init: RequestInit): Promise<Response> {
  return Promise.resolve(worker.fetch(new Request(`https://metrics.example${path}`, init), env));
}

/** `POST /samples`, as any sender would. */
export function post(samples: unknown[], { service = "shop", key }: PostOptions = {}): Promise<Response> {
  return fetchWorker("/samples", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(key === undefined ? {} : { "Idempotency-Key": key }) },
    body: JSON.stringify({ service, samples }),
  });
}

/** Posts, and insists on being acknowledged. */
export async function acknowledged(
  samples: unknown[],
  options: PostOptions = {},
): Promise<Answer & { duplicate: boolean }> {
  const response = await post(samples, options);
  if (response.status !== 202) throw new Error(`POST /samples: ${response.status} ${await response.text()}`);
  return response.json();
}

/** What a GET answers, which is JSON with the status given. */
export async function getJson<T = Record<string, unknown>>(path: string, status = 200): Promise<T> {
  const response = await get(path);
  const text = await response.text();
  if (response.status !== status) throw new Error(`GET ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

export function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch(`https://metrics.example${path}`, { headers });
}

/** Brings all that is acknowledged into D1. */
export async function carryToD1(): Promise<void> {
  await letTimePass();
  await ringAlarm();
  await deliver(await sentMessages());
}

/** What `GET /metrics` lists, all of its pages. */
export async function metrics(): Promise<FunctionMetrics[]> {
  const all: FunctionMetrics[] = [];
  let next: string | null = null;
  do {
    const page: FunctionList = await getJson(`/metrics${next === null ? "" : `?cursor=${next}`}`);
    all.push(...page.functions);
    next = page.next;
  } while (next !== null);
  return all;
}

/** The calls that `GET /metrics` knows, by function. */
export async function calls(): Promise<Record<string, number>> {
  return Object.fromEntries((await metrics()).map((row) => [row.function, row.calls]));
}

/** The calls that D1 alone knows, by function. */
export async function callsInD1(): Promise<Record<string, number>> {
  const { results } = await env.DB.prepare("SELECT function, calls FROM metrics").all<{
    function: string;
    calls: number;
  }>();
  return Object.fromEntries(results.map((row) => [row.function, row.calls]));
}

/** Rings the buffer's alarm now. False where none is set. */
export function ringAlarm(): Promise<boolean> {
  return runDurableObjectAlarm(buffer());
}

/** When the buffer's alarm is set to ring, in epoch milliseconds. */
export function alarmTime(): Promise<number | null> {
  return runInDurableObject(buffer(), (_, state) => state.storage.getAlarm());
}

/** Lets everything in the buffer and its outbox be due now, as if the time had passed. */
export async function letTimePass(): Promise<void> {
  await runInDurableObject(buffer(), (_, state) => {
    state.storage.sql.exec("UPDATE outbox SET due = 0");
    state.storage.sql.exec("UPDATE pending SET received_at = 0");
  });
  await evictDurableObject(buffer());
}

/** The messages that the buffer sent for its unconfirmed flushes, in their order. */
export function sentMessages(): Promise<string[]> {
  return runInDurableObject(buffer(), (_, { storage: { sql } }) => {
    const { name, epoch } = sql
      .exec<{ name: string; epoch: string }>("SELECT name, epoch FROM identity")
      .one();
    return sql
      .exec<{ n: number; version: number; deltas: string; deletion: string | null }>(
        "SELECT n, version, deltas, deletion FROM outbox ORDER BY n",
      )
      .toArray()
      .map(({ deletion, ...flush }) => {
        const deleted = deletion === null ? {} : { deletion: JSON.parse(deletion) as SeriesSelector };
        return encodeFlush({ buffer: name, epoch, ...flush, ...deleted });
      });
  });
}

export interface DeliverOptions {
  queue?: string;
  attempts?: number;
  env?: Env;
}

/** Delivers messages to the Worker's queue handler in one batch, and tells which were acked and which come again. */
export async function deliver(bodies: readonly unknown[], options: DeliverOptions = {}) {
  const batch = createMessageBatch(
    options.queue ?? "metrics-collector-flushes",
    bodies.map((body, i) => ({
      id: String(i),
      timestamp: new Date(),
      attempts: options.attempts ?? 1,
      body,
    })),
  );
  const context = createExecutionContext();
  await worker.queue(batch, options.env ?? env);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
  return { acked: explicitAcks, retried: retryMessages.map(({ msgId }) => msgId) };
}
