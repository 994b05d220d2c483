/** What tests of a harmless collector share: functions of several kinds, which are used while something is wrong. */
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { CollectorOptions, MetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

export let server: FakeServer;
export let metricsCollector: MetricsCollector | undefined;
export let rawServer: Server | undefined;
export const unhandled: unknown[] = [];
export const onUnhandled = (reason: unknown) => unhandled.push(reason);
export let others: NodeJS.UnhandledRejectionListener[];

beforeEach(() => {
  // In place of the test runner's, so that one fails the test that it belongs to.
  others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onUnhandled);
  unhandled.length = 0;
  server = new FakeServer();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  server.reply = () => "accept";
  await metricsCollector?.close({ timeoutMs: 0 });
  metricsCollector = undefined;
  await server[Symbol.asyncDispose]();
  rawServer?.close();
  rawServer = undefined;
  await sleep(5);
  process.off("unhandledRejection", onUnhandled);
  for (const listener of others) process.on("unhandledRejection", listener);
});

export async function collect(options: Partial<CollectorOptions>): Promise<MetricsCollector> {
  const { createMetricsCollector } = await loadClient();
  const defaults = { url: "http://collector", service: "shop", intervalMs: 1, retryMs: 1, timeoutMs: 20 };
  // Getters stay getters.
  return (metricsCollector = createMetricsCollector(
    Object.defineProperties(defaults, Object.getOwnPropertyDescriptors(options)),
  ));
}

export const error = new RangeError("its own");
/** An async function passes for a hook. */
export const rejects = (() => Promise.reject(new Error("hook"))) as () => void;

/** Calls functions of several kinds for a while, in which the collector has many occasions to do harm. */
export async function useFunctions(collector: MetricsCollector, rounds = 12): Promise<void> {
  const basket = { count: 2 };
  const add = collector(function add(this: { count: number }, n: number) {
    return this.count + n;
  });
  const fail = collector(function fail() {
    throw error;
  });
  const load = collector(async function load(id: number) {
    await Promise.resolve();
    return { id };
  });
  const reject = collector(async function reject() {
    await Promise.resolve();
    throw error;
  });
  const count = collector(function* count(to: number) {
    for (let n = 0; n < to; n++) yield n;
  });
  for (let round = 0; round < rounds; round++) {
    expect(add.call(basket, round)).toBe(2 + round);
    expect(catchFrom(fail)).toBe(error);
    // The collector answers never, late or badly: that these come at all shows that they did not wait for it.
    expect(await load(round)).toEqual({ id: round });
    expect(await reject().catch((reason: unknown) => reason)).toBe(error);
    expect([...count(3)]).toEqual([0, 1, 2]);
    await sleep(5);
  }
  expect(unhandled).toEqual([]);
}

export function catchFrom(fn: () => unknown): unknown {
  try {
    fn();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("It did not throw.");
}

export async function answerEverythingWith(bytes: string): Promise<string> {
  rawServer = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => rawServer!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(rawServer.address() as AddressInfo).port}`;
}
