/** Functions with which tests use the Worker: over HTTP as senders and readers do, and through its bindings. */
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
  /** When the batch was made, by the sender's clock. */
  sentAt?: number;
  /** How long ago that was. */
  ageMs?: number;
}

/**
 * Sends a request to the Worker in the test's own context. WARNING: requests in contexts of their own would not bring
 * batches to the buffer as one group, because the test runtime does not let one request resolve a promise of another
 * (`no_handle_cross_request_promise_resolution`). Tests in test/process use real servers.
 */
export function fetchWorker(path: string, init: RequestInit): Promise<Response> {
  return Promise.resolve(worker.fetch(new Request(`https://metrics.example${path}`, init), env));
}

/** Sends samples to `POST /samples`. */
export function post(
  samples: unknown[],
  { service = "shop", key, sentAt, ageMs }: PostOptions = {},
): Promise<Response> {
  return fetchWorker(`/samples${ageMs === undefined ? "" : `?ageMs=${ageMs}`}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...(key === undefined ? {} : { "Idempotency-Key": key }) },
    body: JSON.stringify({ service, samples, sentAt }),
  });
}

/** Sends samples and returns the answer. @throws {Error} if it is not 202 */
export async function acknowledged(
  samples: unknown[],
  options: PostOptions = {},
): Promise<Answer & { duplicate: boolean }> {
  const response = await post(samples, options);
  if (response.status !== 202) throw new Error(`POST /samples: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Posts samples, none of which is accepted. */
export async function refused(
  samples: unknown[],
  options: PostOptions = {},
): Promise<Answer & { duplicate: boolean }> {
  const response = await post(samples, options);
  if (response.status !== 422) throw new Error(`POST /samples: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The JSON that a GET answers. @throws {Error} if the status is another than the given one */
export async function getJson<T = Record<string, unknown>>(path: string, status = 200): Promise<T> {
  const response = await get(path);
  const text = await response.text();
  if (response.status !== status) throw new Error(`GET ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

export function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch(`https://metrics.example${path}`, { headers });
}

/** Brings all acknowledged calls into D1. */
export async function carryToD1(): Promise<void> {
  await letTimePass();
  await ringAlarm();
  await deliver(await sentMessages());
}

/** The functions on all pages of `GET /metrics`. */
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

/** The calls that `GET /metrics` shows, by function. */
export async function calls(): Promise<Record<string, number>> {
  return Object.fromEntries((await metrics()).map((row) => [row.function, row.calls]));
}

/** The calls that are in D1, by function. */
export async function callsInD1(): Promise<Record<string, number>> {
  const { results } = await env.DB.prepare("SELECT function, calls FROM metrics").all<{
    function: string;
    calls: number;
  }>();
  return Object.fromEntries(results.map((row) => [row.function, row.calls]));
}

/** Runs the buffer's alarm now. False if none is set. */
export function ringAlarm(): Promise<boolean> {
  return runDurableObjectAlarm(buffer());
}

/** The time for which the buffer's alarm is set, in epoch milliseconds, or null if it is not set. */
export function alarmTime(): Promise<number | null> {
  return runInDurableObject(buffer(), (_, state) => state.storage.getAlarm());
}

/** Makes everything in the buffer and its outbox due now, and evicts the buffer. */
export async function letTimePass(): Promise<void> {
  await runInDurableObject(buffer(), (_, state) => {
    state.storage.sql.exec("UPDATE outbox SET due = 0");
    state.storage.sql.exec("UPDATE pending SET received_at = 0");
  });
  await evictDurableObject(buffer());
}

/** The queue messages of the buffer's unconfirmed flushes, oldest first. */
export function sentMessages(): Promise<string[]> {
  return runInDurableObject(buffer(), (_, { storage: { sql } }) => {
    const { name, epoch } = sql
      .exec<{ name: string; epoch: string }>("SELECT name, epoch FROM identity")
      .one();
    return sql
      .exec<{ n: number; version: number; deltas: string; deletion: string | null }>(
        "SELECT n, version, deltas, deletion FROM outbox WHERE kept_at IS NULL ORDER BY n",
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

/** Delivers messages to the Worker's queue handler in one batch. Returns which were acknowledged and which are retried. */
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
