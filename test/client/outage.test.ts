/** The collector is away for long; time is simulated, so that an hour passes in a second. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { CollectorOptions, Dropped, MetricsCollector } from "../../client/index.ts";
import { FakeServer } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

const START = Date.parse("2026-11-24T10:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

let server: FakeServer;
let metricsCollector: MetricsCollector;
let createMetricsCollector: (options: CollectorOptions) => MetricsCollector;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date", "performance", "setTimeout", "clearTimeout"], now: START });
  // Compression takes real time.
  vi.stubGlobal("CompressionStream", undefined);
  vi.spyOn(console, "warn").mockImplementation(() => {});
  server = new FakeServer();
  ({ createMetricsCollector } = await loadClient());
});

afterEach(async () => {
  await metricsCollector.close({ timeoutMs: 0 });
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function goAway(): void {
  server.reply = () => "dropRequest";
}

function comeBack(): void {
  server.reply = () => "accept";
}

/** Lets time pass in steps, with real turns of the event loop between them for promises to settle. */
async function pass(ms: number, stepMs = Math.min(ms, 10 * SECOND)): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets time pass until nothing is pending. */
async function passUntilDelivered(): Promise<void> {
  for (let i = 0; i < 2_000 && metricsCollector.stats().pending; i++) await pass(SECOND);
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

it("keeps an hour of 100 functions in 4 MB, and every call arrives in the minute in which it was made", async () => {
  goAway();
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    maxMemory: 4_000_000,
    fetcher: server.fetcher,
  });
  const functions = Array.from({ length: 100 }, (_, n) =>
    metricsCollector({ name: `function${n}` }, (value: number) => value + 1),
  );
  const made: Record<string, Record<string, number>> = {};
  const heapBefore = heapBytes();
  let calls = 0;
  for (let second = 0; second < 3_600; second++) {
    const minute = new Date(START + second * SECOND - ((second * SECOND) % MINUTE)).toISOString();
    functions.forEach((fn, n) => {
      // Not the same in every minute, nor for every function.
      const times = ((n + second) % 5) + 1;
      for (let i = 0; i < times; i++) fn(i);
      const minutes = (made[`function${n}`] ??= {});
      minutes[minute] = (minutes[minute] ?? 0) + times;
      calls += times;
    });
    await pass(SECOND);
  }
  expect(calls).toBe(1_080_000);
  // All attempts were of one batch; letting go of them leaves what the client keeps, and not what this test does.
  expect(new Set(server.keys).size).toBe(1);
  server.requests.length = 0;
  expect(heapBytes() - heapBefore).toBeLessThan(16_000_000);
  expect(metricsCollector.stats()).toEqual({
    seen: 1_080_000,
    acknowledged: 0,
    pending: 1_080_000,
    dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
  });

  comeBack();
  await passUntilDelivered();
  expect(metricsCollector.stats()).toEqual({
    seen: 1_080_000,
    acknowledged: 1_080_000,
    pending: 0,
    dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
  });
  expect(server.counted).toEqual(made);
  // A sum for each function and minute; the minute of the first attempt is in two parts.
  const samples = server.requests.flatMap((request) => request.samples);
  expect(samples.length).toBeLessThanOrEqual(100 * 61);
}, 30_000);

it("keeps no more sums for ten times as many calls", async () => {
  goAway();
  const samplesAt = async (callsPerMinute: number): Promise<number> => {
    server = new FakeServer();
    goAway();
    metricsCollector = createMetricsCollector({
      url: "http://collector",
      service: "shop",
      fetcher: server.fetcher,
    });
    const work = metricsCollector(function work() {});
    for (let minute = 0; minute < 20; minute++) {
      for (let i = 0; i < callsPerMinute; i++) work();
      await pass(MINUTE);
    }
    comeBack();
    await passUntilDelivered();
    expect(server.calls).toEqual({ work: 20 * callsPerMinute });
    await metricsCollector.close({ timeoutMs: 0 });
    const batches = new Map(server.requests.map(({ key, samples }) => [key, samples]));
    return [...batches.values()].flat().length;
  };
  expect([await samplesAt(100), await samplesAt(1_000)]).toEqual([20, 20]);
});

it("drops calls older than 48 hours, counts them and tells how many, and delivers the younger ones", async () => {
  goAway();
  const told: Dropped[] = [];
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
    onDrop: (dropped) => told.push(dropped),
    onError: () => {},
  });
  const call = (name: string, times: number) => {
    const fn = metricsCollector({ name }, () => {});
    for (let i = 0; i < times; i++) fn();
  };
  // On its way when the trouble begins: it may have arrived, so it is for the server to say.
  call("first", 1);
  await pass(MINUTE);
  call("old", 20);
  await pass(HOUR, MINUTE);
  call("young", 300);
  await pass(47.5 * HOUR, MINUTE);
  expect(metricsCollector.stats()).toEqual({
    seen: 321,
    acknowledged: 0,
    pending: 321,
    dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
  });

  comeBack();
  await passUntilDelivered();
  expect(metricsCollector.stats()).toEqual({
    seen: 321,
    acknowledged: 300,
    pending: 0,
    dropped: { rejected: 1, tooOld: 20, overMemory: 0 },
  });
  expect(server.counted).toEqual({ young: { "2026-11-24T11:01:00.000Z": 300 } });
  expect(told).toEqual([
    { reason: "rejected", calls: 1, message: "at is older than 48 hours." },
    { reason: "tooOld", calls: 20, message: expect.any(String) },
  ]);
});

it("past its cap on memory drops the oldest calls, but none that may have arrived", async () => {
  const told: Dropped[] = [];
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    maxMemory: 5_000,
    fetcher: server.fetcher,
    onDrop: (dropped) => told.push(dropped),
    onError: () => {},
  });
  // The first batch arrives, but its answer does not.
  server.reply = () => "dropResponse";
  const work = metricsCollector(function work() {});
  for (let minute = 0; minute < 100; minute++) {
    work();
    await pass(MINUTE);
  }
  const { dropped: droppedBefore } = metricsCollector.stats();
  expect(droppedBefore).toEqual({ rejected: 0, tooOld: 0, overMemory: expect.any(Number) });
  expect(droppedBefore.overMemory).toBeGreaterThan(40);

  comeBack();
  await passUntilDelivered();
  const { acknowledged, pending, dropped } = metricsCollector.stats();
  expect([acknowledged + dropped.overMemory, pending]).toEqual([100, 0]);
  const minutes = Object.keys(server.counted["work"]!)
    .map((minute) => (Date.parse(minute) - START) / MINUTE)
    .sort((a, b) => a - b);
  // The first, which was on its way, and then the newest.
  const newest = Array.from({ length: acknowledged - 1 }, (_, n) => 101 - acknowledged + n);
  expect(minutes).toEqual([0, ...newest]);
  expect(told.reduce((sum, { calls }) => sum + calls, 0)).toBe(dropped.overMemory);
  expect(new Set(told.map(({ reason }) => reason))).toEqual(new Set(["overMemory"]));
});

it("says in words which limit it was that calls were dropped for", async () => {
  goAway();
  const told: Dropped[] = [];
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    maxMemory: 100,
    fetcher: server.fetcher,
    onDrop: (dropped) => told.push(dropped),
    onError: () => {},
  });
  const work = metricsCollector(function work() {});
  for (let minute = 0; minute < 5; minute++) {
    work();
    await pass(MINUTE);
  }
  expect(told[0]).toEqual({ reason: "overMemory", calls: 1, message: expect.stringMatching(/\w/) });
});

it("warns on the console that calls are lost, at most once a minute", async () => {
  goAway();
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    maxMemory: 300,
    intervalMs: 1_000,
    maxItems: 1,
    fetcher: server.fetcher,
  });
  const startMs = Date.now();
  for (let n = 0; n < 600; n++) {
    metricsCollector({ name: `function${n}` }, () => {})();
    await metricsCollector.flush({ timeoutMs: 0 });
    await pass(SECOND, 500);
  }
  const minutes = (Date.now() - startMs) / MINUTE;
  expect(metricsCollector.stats().dropped.overMemory).toBeGreaterThan(500);
  const warnings = vi.mocked(console.warn).mock.calls.map(([warning]) => String(warning));
  const losses = warnings.filter((warning) => warning.includes("calls are lost"));
  expect(losses[0]).toMatch(/^metrics-collector: 1 calls are lost \(overMemory\): .*maxMemory.*onDrop/);
  expect(losses.length).toBeGreaterThan(minutes - 2);
  expect(losses.length).toBeLessThanOrEqual(minutes + 1);
});

it("a call after the minute has turned seals its own function only, however many there are", async () => {
  const { createPageSpool } = await import("../../client/spool/page.ts");
  let sealed = () => 0;
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    intervalMs: HOUR,
    fetcher: server.fetcher,
    spool: {
      attach(parts: { outbox: { sums: Set<unknown> } }) {
        sealed = () => parts.outbox.sums.size;
        return createPageSpool({ getItem: () => null, setItem() {}, removeItem() {} }).attach(parts);
      },
    },
  });
  const functions = Array.from({ length: 1_000 }, (_, n) => metricsCollector({ name: `f${n}` }, () => n));
  for (const fn of functions) fn();
  await pass(MINUTE);
  functions[0]!();
  expect(sealed()).toBe(1);
  functions[1]!();
  expect(sealed()).toBe(2);
});

it.each<[string, number, number]>([
  // The wall clock, and the monotonic clock, which may stop while a machine is asleep.
  ["jumps three days ahead for a moment", 3 * 24 * HOUR, 0],
  ["is set from the year 2000 to now", 26 * 365 * 24 * HOUR, 0],
  ["is set back by three days", -3 * 24 * HOUR, 0],
])(
  "what is minutes old arrives though the wall clock %s while the server is away",
  async (_, wallMs, monotonicMs) => {
    goAway();
    metricsCollector = createMetricsCollector({
      url: "http://collector",
      service: "shop",
      onError() {},
      fetcher: server.fetcher,
    });
    const work = metricsCollector(function work() {});
    work();
    // The first is in a batch. The others are not.
    await pass(MINUTE);
    for (let minute = 0; minute < 5; minute++) {
      work();
      await pass(MINUTE);
    }
    const agoMs = performance.now();
    vi.setSystemTime(Date.now() + wallMs);
    expect(performance.now() - agoMs).toBe(monotonicMs);
    server.reject = () => undefined;
    comeBack();
    await pass(10 * MINUTE);
    expect(server.calls).toEqual({ work: 6 });
    expect(metricsCollector.stats().dropped).toEqual({ rejected: 0, tooOld: 0, overMemory: 0 });
    // As old as they were, by the clock as it is now.
    const minutes = Object.keys(server.counted["work"]!).map((at) => (Date.now() - Date.parse(at)) / MINUTE);
    expect(minutes.filter((age) => age > 0 && age < 20)).toHaveLength(5);
  },
);
