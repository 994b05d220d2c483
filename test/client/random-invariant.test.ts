/**
 * Random runs over kinds of schedules, answers, clocks and ends of a process: the client's own count and the server's agree,
 * and each call is counted once. `CLIENT_RUNS` says how many runs (CI: 1,000), `SEED` where they begin.
 */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { CollectorOptions, MetricsCollector, Stats } from "../../client/index.ts";
import { createPageSpool } from "../../client/spool/page.ts";
import { Random } from "../../scripts/random.ts";
import { FakeServer, type Reply } from "./fake-server.ts";
import { loadClient } from "./fresh-client.ts";

const RUNS = Number(process.env["CLIENT_RUNS"] ?? (process.env["CI"] ? 1_000 : 60));
const FIRST_SEED = Number(process.env["SEED"] ?? 1);
const START = Date.parse("2026-11-24T10:00:00Z");
const DAY = 86_400_000;

let createMetricsCollector: (options: CollectorOptions) => MetricsCollector;
/** What the clocks show beside the time that passes. */
let [monotonicLeapMs, wallLeapMs] = [0, 0];
const realNow = performance.now.bind(performance);

beforeAll(async () => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.spyOn(performance, "now").mockImplementation(() => realNow() + monotonicLeapMs);
  vi.spyOn(Date, "now").mockImplementation(() => START + realNow() + wallLeapMs);
  ({ createMetricsCollector } = await loadClient());
});

afterAll(() => {
  vi.restoreAllMocks();
});

const answers: Reply[] = [
  "dropRequest",
  "dropResponse",
  "hang",
  { status: 500 },
  { status: 503, headers: { "Retry-After": "0" } },
  { status: 401, body: '{"error":{"code":"unauthorized","message":"No."}}' },
  { status: 404, body: "<html>" },
  { status: 200, body: "<html>Sign in" },
  { status: 202, body: "" },
  { status: 204 },
  { status: 200, body: '{"ok":true}' },
  { status: 302 },
];

const lost = ({ dropped }: Stats) => dropped.rejected + dropped.tooOld + dropped.overMemory;

async function run(seed: number): Promise<{ made: number; generations: number; requests: number }> {
  const random = new Random(seed);
  const server = new FakeServer();
  const rejects = random.chance(0.3);
  // The same for the same sample, so that a duplicate is answered as the first was.
  server.reject = ({ calls }) => (rejects && calls % 5 === 3 ? "It has three calls too many." : undefined);
  server.reply = async () => {
    if (random.chance(0.3)) await sleep(random.below(4));
    return random.chance(0.5) ? random.pick(answers) : "accept";
  };
  const kept = new Map<string, string>();
  const spool = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  let store = () => {};
  const open = () => {
    const inner = createPageSpool(spool);
    return createMetricsCollector({
      url: "http://collector",
      service: "shop",
      intervalMs: random.pick([1, 3, 10]),
      maxItems: random.pick([2, 20]),
      retryMs: 0.1,
      timeoutMs: 12,
      onError() {},
      onDrop() {},
      fetcher: server.fetcher,
      strict: true,
      spool: { attach: (parts) => (store = inner.attach(parts)) },
      // As on Workers: no timer, and an invocation that stays alive.
      ...(random.chance(0.4) && { waitUntil: (kept: Promise<unknown>) => void kept }),
    });
  };
  let collector = open();
  let [made, generations, acknowledged, dropped] = [0, 1, 0, 0];
  const check = (): void => {
    const stats = collector.stats();
    expect(stats.acknowledged + stats.pending + lost(stats)).toBe(stats.seen);
    expect(Math.min(stats.acknowledged, stats.pending, lost(stats))).toBeGreaterThanOrEqual(0);
    // What is acknowledged was counted, and what was counted was made.
    expect(server.totalCalls).toBeGreaterThanOrEqual(acknowledged + stats.acknowledged);
    expect(server.totalCalls).toBeLessThanOrEqual(made - dropped - lost(stats));
  };
  for (let step = 0; step < 40; step++) {
    const what = random.next();
    if (what < 0.55) {
      const times = 1 + random.below(9);
      const fn = collector({ name: `function${random.below(6)}` }, () => {});
      for (let i = 0; i < times; i++) fn();
      made += times;
    } else if (what < 0.6) {
      // A machine that was asleep, or a clock that was set: for an hour at most, or by days, or back.
      const leapMs = random.pick([60_000, 3_600_000]);
      wallLeapMs += random.pick([leapMs, leapMs, -leapMs, 3 * DAY, -3 * DAY]);
      monotonicLeapMs += random.pick([0, leapMs]);
    } else if (what < 0.7) {
      await collector.flush({ timeoutMs: random.below(8) });
    } else if (what < 0.75) {
      // The process ends, and the next one takes over what it has stored.
      await collector.close({ timeoutMs: 0 });
      await sleep(15);
      store();
      const stats = collector.stats();
      acknowledged += stats.acknowledged;
      dropped += lost(stats);
      collector = open();
      generations++;
    } else if (what < 0.9) {
      await sleep(random.below(4));
    } else {
      await turn();
    }
    check();
  }
  server.reply = () => "accept";
  expect(await collector.flush({ timeoutMs: 10_000 })).toBe(true);
  const stats = collector.stats();
  expect(stats.pending).toBe(0);
  expect({
    counted: server.totalCalls,
    acknowledged: acknowledged + stats.acknowledged,
    madeElsewhere: made - server.totalCalls - dropped - lost(stats),
  }).toEqual({ counted: server.totalCalls, acknowledged: server.totalCalls, madeElsewhere: 0 });
  await collector.close();
  return { made, generations, requests: server.requests.length };
}

it(`in ${RUNS} random runs, seen = acknowledged + pending + dropped, and the server has counted what is acknowledged`, async () => {
  const sum = { made: 0, generations: 0, requests: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const result = await run(seed).catch((error: unknown) => {
      throw new Error(`The run with SEED=${seed} CLIENT_RUNS=1 failed.`, { cause: error });
    });
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += result[key];
  }
  // They went through something.
  expect(sum.generations).toBeGreaterThan(RUNS * 1.5);
  expect(sum.requests).toBeGreaterThan(RUNS * 5);
  expect(sum.made).toBeGreaterThan(RUNS * 50);
}, 600_000);
