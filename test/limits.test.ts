import { describe, expect, it, vi } from "vitest";
import { limits } from "../src/limits.ts";
import { MAX_BUCKET, MAX_DURATION_MS, MIN_BUCKET } from "../src/stats/histogram.ts";
import { acknowledged, calls, metrics, post } from "./worker.ts";

/** Below, at and above, as [value, whether it is taken]. */
function around(limit: number): [number, boolean][] {
  return [
    [limit - 1, true],
    [limit, true],
    [limit + 1, false],
  ];
}

const call = { function: "work", durationMs: 1 };
const sum = (count: number) => ({
  function: "work",
  calls: count,
  sumMs: count,
  minMs: 1,
  maxMs: 1,
  histogram: { "-1": count },
});

async function isTaken(sample: unknown): Promise<boolean> {
  return (await acknowledged([sample])).accepted === 1;
}

describe("each limit of a sample, below, at and above it", () => {
  it.each(around(limits.functionLength))("a name of %i characters: %s", async (length, taken) => {
    expect(await isTaken({ ...call, function: "f".repeat(length) })).toBe(taken);
  });

  it.each(around(limits.moduleLength))("a module of %i characters: %s", async (length, taken) => {
    expect(await isTaken({ ...call, module: "m".repeat(length) })).toBe(taken);
  });

  it.each(around(limits.callsPerSample))("a sum of %i calls: %s", async (count, taken) => {
    expect(await isTaken(sum(count))).toBe(taken);
  });

  it.each(around(MAX_DURATION_MS))("a duration of %i ms: %s", async (durationMs, taken) => {
    expect(await isTaken({ ...call, durationMs })).toBe(taken);
  });

  it.each(around(limits.sumMs))("durations of %i ms in one sum: %s", async (sumMs, taken) => {
    const bounds = { calls: 1_000, sumMs, minMs: 1, maxMs: MAX_DURATION_MS, histogram: { "0": 1_000 } };
    expect(await isTaken({ function: "work", ...bounds })).toBe(taken);
  });

  it.each(around(limits.failuresPerSample))("%i different failures: %s", async (kinds, taken) => {
    const failures = Array.from({ length: kinds }, (_, i) => ({ name: "E", message: `${i}`, calls: 1 }));
    expect(await isTaken({ ...sum(1_000), errors: 1_000, failures })).toBe(taken);
  });

  it("a histogram with every bucket that there is, and one more", async () => {
    const buckets = limits.histogramEntries;
    const histogram = Object.fromEntries(
      Array.from({ length: buckets }, (_, i) => [String(MIN_BUCKET + i), 1]),
    );
    const whole = {
      function: "work",
      calls: buckets,
      sumMs: 1e9,
      minMs: 1e-6,
      maxMs: MAX_DURATION_MS,
      histogram,
    };
    expect(await isTaken(whole)).toBe(true);
    const { [MIN_BUCKET]: _, ...oneLess } = histogram;
    expect(await isTaken({ ...whole, calls: buckets - 1, histogram: oneLess })).toBe(true);
    expect(
      await isTaken({ ...whole, calls: buckets + 1, histogram: { ...histogram, [MAX_BUCKET + 1]: 1 } }),
    ).toBe(false);
    expect(
      await isTaken({ ...whole, calls: buckets + 1, histogram: { ...histogram, [MIN_BUCKET - 1]: 1 } }),
    ).toBe(false);
  });

  it("a sample that is as late as it may be, and a little later", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    try {
      expect(await isTaken({ ...call, at: now - limits.sampleAgeMs })).toBe(true);
      expect(await isTaken({ ...call, at: now - limits.sampleAgeMs - 1 })).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("a long failure is cut and costs no call", async () => {
    const error = {
      name: "N".repeat(limits.failureNameLength + 1),
      message: "m".repeat(limits.failureMessageLength + 1),
    };
    expect(await isTaken({ ...call, error })).toBe(true);
    expect(await metrics()).toMatchObject([{ calls: 1, errors: 1 }]);
  });
});

describe("each limit of a batch, below, at and above it", () => {
  it.each(around(limits.serviceLength))("a service of %i characters: %s", async (length, taken) => {
    expect((await post([call], { service: "s".repeat(length) })).status).toBe(taken ? 202 : 400);
  });

  it.each(around(limits.idempotencyKeyLength))("a key of %i characters: %s", async (length, taken) => {
    expect((await post([call], { key: "k".repeat(length) })).status).toBe(taken ? 202 : 400);
  });

  it.each(around(limits.samplesPerBatch))("%i samples: %s", async (count, taken) => {
    expect((await post(Array.from({ length: count }, () => call))).status).toBe(taken ? 202 : 413);
  });

  it.each(around(limits.reasonsPerBatch))("%i bad samples are told, up to the limit", async (count) => {
    const { reasons } = await acknowledged(Array.from({ length: count }, () => ({})));
    expect(reasons).toHaveLength(Math.min(count, limits.reasonsPerBatch));
  });

  it("as stored", async () => {
    const samples = (length: number) =>
      Array.from({ length: 4_000 }, (_, i) => ({ function: "f".repeat(length) + i, durationMs: 1 }));
    const service = "s".repeat(limits.serviceLength);
    const statuses = await Promise.all(
      [1, 50, 100, 150].map(async (length) => (await post(samples(length), { service })).status),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual(statuses);
    expect(statuses.at(0)).toBe(202);
    expect(statuses.at(-1)).toBe(413);
  });
});

it("a buffer whose storage is full takes no new key, and still knows the old ones", async () => {
  await acknowledged([call], { key: "old" });
  const before = limits.bufferBytes;
  try {
    Object.assign(limits, { bufferBytes: 1 });
    const response = await post([call], { key: "new" });
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("30");
    expect(await acknowledged([call], { key: "old" })).toMatchObject({ duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  } finally {
    Object.assign(limits, { bufferBytes: before });
  }
  expect(await acknowledged([call], { key: "new" })).toMatchObject({ duplicate: false });
});
