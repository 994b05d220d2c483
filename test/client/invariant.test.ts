/** A random run through every fault there is: each call stands in exactly one place at any time, and arrives once. */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MetricsCollector } from "../../client/index.ts";
import { Random } from "../../scripts/random.ts";
import { FakeServer, type Reply } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

const START = Date.parse("2026-11-24T10:00:00Z");
const STEPS = 400;

let server: FakeServer;
let metricsCollector: MetricsCollector;
let leapsMs: number;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);

beforeEach(async () => {
  unhandled.length = 0;
  process.on("unhandledRejection", onUnhandled);
  vi.spyOn(console, "warn").mockImplementation(() => {});
  // Timers and the network are real, but now and then both clocks leap by a minute, as where a machine was asleep.
  leapsMs = 0;
  const realNow = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => realNow() + leapsMs);
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  server = await new FakeServer().listen();
});

afterEach(async () => {
  await metricsCollector.close({ timeoutMs: 0 });
  await server[Symbol.asyncDispose]();
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.off("unhandledRejection", onUnhandled);
});

const faults: Reply[] = [
  "dropRequest",
  "dropResponse",
  "truncate",
  "hang",
  { status: 500, body: "Internal error" },
  { status: 503, headers: { "Retry-After": "0" } },
  { status: 429, headers: { "Retry-After": "rubbish" } },
  { status: 401, body: "{}" },
  { status: 403 },
  { status: 408 },
  { status: 307, headers: { Location: "http://127.0.0.1:1/" } },
  { status: 502, body: "<html>\0rubbish" },
];

/** Where calls are, as the client says and as the server knows. */
function expectEachCallInOnePlace(made: number): void {
  const { seen, acknowledged, pending, dropped } = metricsCollector.stats();
  const lost = dropped.rejected + dropped.tooOld + dropped.overMemory;
  expect(seen).toBe(made);
  expect(acknowledged + pending + lost).toBe(seen);
  expect(Math.min(acknowledged, pending, lost)).toBeGreaterThanOrEqual(0);
  // What is acknowledged was counted; what was counted but is not acknowledged is still pending.
  expect(server.totalCalls).toBeGreaterThanOrEqual(acknowledged);
  expect(server.totalCalls).toBeLessThanOrEqual(acknowledged + pending);
}

interface Run {
  made: Record<string, Record<string, number>>;
  calls: number;
  /** Faults that happened. */
  met: Set<string>;
}

async function run(seed: number, refuses: boolean): Promise<Run> {
  const random = new Random(seed);
  const met = new Set<string>();
  server.reply = async () => {
    if (random.chance(0.3)) await sleep(random.below(8));
    if (!random.chance(0.6)) return "accept";
    const fault = random.pick(faults);
    met.add(typeof fault === "string" ? fault : `${fault.status}`);
    return fault;
  };
  if (refuses) {
    // Always the same for the same sample, so that a duplicate is refused as the first was.
    server.reject = (sample) => (sample.calls % 7 === 3 ? "It has three calls too many." : undefined);
  }
  const { createMetricsCollector } = await loadClient();
  metricsCollector = createMetricsCollector({
    url: server.url,
    service: "shop",
    intervalMs: 3,
    maxItems: 20,
    retryMs: 0.1,
    timeoutMs: 15,
  });
  const made: Record<string, Record<string, number>> = {};
  let calls = 0;
  const functions = Array.from({ length: 12 }, (_, n) =>
    metricsCollector({ name: `function${n}` }, (fails: boolean) => {
      if (fails) throw new Error(`of ${n}`);
    }),
  );
  for (let step = 0; step < STEPS; step++) {
    const what = random.next();
    if (what < 0.7) {
      const n = random.below(functions.length);
      const times = 1 + random.below(20);
      for (let i = 0; i < times; i++) {
        try {
          functions[n]!(random.chance(0.1));
        } catch {
          // As it is meant to.
        }
      }
      const minute = new Date(Date.now() - (Date.now() % 60_000)).toISOString();
      const minutes = (made[`function${n}`] ??= {});
      minutes[minute] = (minutes[minute] ?? 0) + times;
      calls += times;
    } else if (what < 0.75) {
      leapsMs += 60_000;
      vi.setSystemTime(START + leapsMs);
    } else if (what < 0.8) {
      await metricsCollector.flush({ timeoutMs: random.below(10) });
    } else if (what < 0.9) {
      await sleep(random.below(6));
    } else {
      await turn();
    }
    expectEachCallInOnePlace(calls);
  }
  // Well again.
  server.reply = () => "accept";
  expect(await metricsCollector.flush({ timeoutMs: 8_000 })).toBe(true);
  expectEachCallInOnePlace(calls);
  expect(unhandled).toEqual([]);
  return { made, calls, met };
}

it.each([1, 2, 3])(
  "seen = acknowledged + pending + dropped throughout, and in the end every call was counted in its minute (seed %d)",
  async (seed) => {
    const { made, calls, met } = await run(seed, false);
    expect(server.counted).toEqual(made);
    expect(metricsCollector.stats()).toEqual({
      seen: calls,
      acknowledged: calls,
      pending: 0,
      dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
    });
    // It went through something.
    expect(met.size).toBeGreaterThan(5);
    expect(server.requests.length).toBeGreaterThan(new Set(server.keys).size);
    expect(Object.keys(made["function0"]!).length).toBeGreaterThan(3);
  },
  20_000,
);

it.each([4, 5])(
  "what the server refused of a batch is what counts as dropped, and all else as acknowledged (seed %d)",
  async (seed) => {
    const { calls } = await run(seed, true);
    const { acknowledged, pending, dropped } = metricsCollector.stats();
    expect(dropped.rejected).toBeGreaterThan(0);
    expect({ acknowledged, pending, rejected: dropped.rejected }).toEqual({
      acknowledged: server.totalCalls,
      pending: 0,
      rejected: calls - server.totalCalls,
    });
  },
  20_000,
);
