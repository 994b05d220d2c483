/** Sends recorded and hand-written OTLP metrics, and compares what is counted with the expected results beside them. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Delta } from "../../../src/stats/delta.ts";
import { bucketIndex, bucketLowerBound, MIN_BUCKET } from "../../../src/stats/histogram.ts";
import {
  pendingDeltas,
  sampleBytes,
  sampleJson,
  sampleNames,
  type SampleRequest,
  sendOtlp,
} from "./sample.ts";

interface ExpectedDelta {
  service: string;
  module: string;
  function: string;
  at: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
  /** Ranges of the sender in milliseconds. */
  buckets: { gtMs: number; leMs: number | null; count: number }[];
  failures?: unknown[];
}

interface Expected {
  request: SampleRequest;
  serverNowMs: number;
  status: number;
  deltas: ExpectedDelta[];
}

interface Sequence {
  serverNowMs: number;
  steps: (Expected & { send: string; why: string })[];
}

const names = sampleNames();
const single = names.filter((name) => /^metrics-.*(?<!sequence)\.expected\.json$/.test(name));
const sequences = names.filter((name) => name.endsWith(".sequence.expected.json"));

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

async function send(name: string, { request, status }: Expected): Promise<void> {
  const response = await sendOtlp(request, sampleBytes(name));
  const answer = new TextDecoder().decode(await response.arrayBuffer());
  expect([response.status, answer]).toEqual([status, request.contentType === "application/json" ? "{}" : ""]);
}

function keyOf({ service, module, function: name }: ExpectedDelta | Delta, minuteMs: number): string {
  return [service, module, name, minuteMs].join("|");
}

/** What the deltas add up to that came after those before. */
function since(before: readonly Delta[], after: readonly Delta[]): Map<string, Delta> {
  const known = new Map(before.map((delta) => [keyOf(delta, delta.minute * 1000), delta]));
  const added = after.filter((delta) => {
    const same = known.get(keyOf(delta, delta.minute * 1000));
    return JSON.stringify(same) !== JSON.stringify(delta);
  });
  return new Map(added.map((delta) => [keyOf(delta, delta.minute * 1000), delta]));
}

function expectSame(found: ReadonlyMap<string, Delta>, expected: readonly ExpectedDelta[]): void {
  expect([...found.keys()].sort()).toEqual(expected.map((one) => keyOf(one, one.at)).sort());
  for (const one of expected) expectDelta(found.get(keyOf(one, one.at))!, one);
}

function expectDelta(delta: Delta, expected: ExpectedDelta): void {
  const { calls, errors, unmeasured, sumMs, failures = [] } = expected;
  expect(delta).toMatchObject({ calls, errors, unmeasured, sumUs: Math.round(sumMs * 1000), failures });
  expect(delta.minMs).toBe(expected.minMs ?? lowest(delta));
  expect(delta.maxMs).toBe(expected.maxMs ?? highest(delta));
  const counted = sum(delta.buckets.filter((_, i) => i % 2 === 1));
  expect(counted).toBe(sum(expected.buckets.map(({ count }) => count)));
  for (const { gtMs, leMs, count } of expected.buckets) {
    const from = gtMs === 0 ? MIN_BUCKET : bucketIndex(gtMs) - 1;
    const to = leMs === null ? Infinity : bucketIndex(leMs) + 1;
    expect(countBetween(delta, from, to)).toBeGreaterThanOrEqual(count);
  }
}

function countBetween({ buckets }: Delta, from: number, to: number): number {
  return sum(buckets.filter((_, i) => i % 2 === 1 && buckets[i - 1]! >= from && buckets[i - 1]! <= to));
}

function lowest({ buckets }: Delta): number | null {
  return buckets.length === 0 ? null : Math.round(bucketLowerBound(buckets[0]!) * 1e6) / 1e6;
}

function highest({ buckets }: Delta): number | null {
  return buckets.length === 0 ? null : Math.round(bucketLowerBound(buckets.at(-2)! + 1) * 1e6) / 1e6;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

describe("a recorded body", () => {
  it("is there for each kind of metric", () => {
    expect(single.length).toBeGreaterThan(4);
    expect(sequences).toHaveLength(2);
  });

  it.each(single)("%s is counted as expected, and once only if it is sent again", async (name) => {
    const expected = sampleJson(name) as Expected;
    vi.setSystemTime(expected.serverNowMs);
    for (let i = 0; i < 2; i++) await send(name.replace(".expected.json", ""), expected);
    const found = since([], await pendingDeltas());
    expect(found.size).toBe(expected.deltas.length);
    expectSame(found, expected.deltas);
  });

  it.each(sequences)("%s: each cumulative point adds what is new, also if all came before", async (name) => {
    const { serverNowMs, steps } = sampleJson(name) as Sequence;
    vi.setSystemTime(serverNowMs);
    let before: Delta[] = [];
    for (const [i, step] of steps.entries()) {
      await send(step.send, step);
      for (const earlier of steps.slice(0, i + 1)) await sendOtlp(earlier.request, sampleBytes(earlier.send));
      const after = await pendingDeltas();
      expect(since(before, after).size).toBe(step.deltas.length);
      expectSame(since(before, after), step.deltas);
      before = after;
    }
  });
});

it("rpc.server.duration in ms at scale 8 becomes our own buckets exactly", async () => {
  const expected = sampleJson("metrics-rpc-ms-scale8-delta.json.expected.json") as Expected;
  vi.setSystemTime(expected.serverNowMs);
  await send("metrics-rpc-ms-scale8-delta.json", expected);
  expect((await pendingDeltas())[0]!.buckets).toEqual([212, 2, 213, 3]);
});
