/** Lets the minutes of a collector with alerts pass, and receives what it sends. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { AlertList } from "../../src/alerts/routes/list.ts";
import { acknowledged, fetchWorker, getJson } from "../worker.ts";

/** Ahead of the platform's own clock, so that no alarm rings by itself. */
export const START = Date.UTC(2040, 0, 2, 12);
const MINUTE = 60_000;

export const object = () => env.ALERTS.getByName("singleton");

export interface Received {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What was sent, oldest first. `answer` decides what a receiver answers; it may throw as a lost connection does. */
export class Receiver {
  readonly received: Received[] = [];
  answer: (received: Received) => Response | Promise<Response> = () => new Response("ok");

  constructor() {
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init);
      const { url, headers } = request;
      const received = { url, headers: Object.fromEntries(headers), body: await request.text() };
      this.received.push(received);
      return this.answer(received);
    });
  }

  /** The JSON bodies. */
  get bodies(): Record<string, any>[] {
    return this.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  }

  /** The titles of webhooks. */
  get titles(): string[] {
    return this.bodies.map(({ data }) => (data as { title: string }).title);
  }
}

export interface Calls {
  function?: string;
  service?: string;
  calls?: number;
  errors?: number;
  ms?: number;
}

/** Posts the calls of the minute with this number, and evaluates at its end. A function rings in place of `ring`. */
export async function minute(number: number, ...all: (Calls | (() => Promise<void>))[]): Promise<void> {
  const start = START + number * MINUTE;
  vi.setSystemTime(start + 30_000);
  const calls = all.filter((one) => typeof one !== "function");
  for (const { service = "shop", function: name = "pay", calls: made = 60, errors = 0, ms = 10 } of calls) {
    const histogram = { [Math.ceil(Math.log2(ms) * 32) - 1]: made };
    const sums = { calls: made, errors, sumMs: made * ms, minMs: ms, maxMs: ms, histogram };
    await acknowledged([{ function: name, at: start + 1_000, ...sums }], { service });
  }
  vi.setSystemTime(start + MINUTE + 5_000);
  await (all.find((one) => typeof one === "function") ?? ring)();
}

export async function ring(): Promise<void> {
  await runDurableObjectAlarm(object());
}

/** Minutes from one number to another, both included, with the same calls. */
export async function minutes(from: number, to: number, ...all: Calls[]): Promise<void> {
  for (let number = from; number <= to; number++) await minute(number, ...all);
}

export async function send(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetchWorker(path, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Starts at `START` with one target that is told of everything. */
export async function withWebhook(fields: object = {}): Promise<void> {
  vi.setSystemTime(START);
  await send("PUT", "/alerts/targets/hook", {
    type: "webhook",
    url: "https://receiver.example/alerts",
    secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ...fields,
  });
}

export function list(): Promise<AlertList> {
  return getJson<AlertList>("/alerts");
}

/** The states of the alerts, by function. */
export async function states(): Promise<Record<string, string>> {
  const { alerts } = await list();
  return Object.fromEntries(
    alerts.map(({ function: name, state, isUnknown }) => [name, isUnknown ? `${state}, unknown` : state]),
  );
}

export function alarmTime(): Promise<number | null> {
  return runInDurableObject(object(), (_, state) => state.storage.getAlarm());
}

/** As the platform does at any time: memory is gone, storage stays. */
export async function evict(): Promise<void> {
  await object().health();
  await evictDurableObject(object());
}
