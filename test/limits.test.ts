import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ingestLimits } from "../src/ingest/limits.ts";
import { bufferLimits } from "../src/buffer/limits.ts";
import { limits } from "../src/api/limits.ts";
import { MAX_QUERY_LENGTH } from "../src/http/parameters.ts";
import { MAX_RANGE_MS } from "../src/read/range.ts";
import { storeLimits } from "../src/store/limits.ts";
import { sumSamples } from "../src/ingest/samples/sum-samples.ts";
import { MAX_BUCKET, MAX_DURATION_MS, MIN_BUCKET } from "../src/stats/histogram.ts";
import { together } from "./model/together.ts";
import { acknowledged, buffer, calls, fetchWorker, get, getJson, metrics, post, refused } from "./worker.ts";

/** The values just below, at and just above a limit, each with whether it is accepted. */
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

interface Failed {
  name: string;
  message: string;
  calls: number;
}

const failures = async () => (await getJson<{ failures: Failed[] }>("/metrics/shop/work")).failures;

async function isTaken(sample: unknown): Promise<boolean> {
  const { status } = await post([sample]);
  expect([202, 422]).toContain(status);
  return status === 202;
}

function sentAtOnce(batches: unknown[][]): Promise<unknown> {
  return together("ends well", () => Promise.all(batches.map((samples) => acknowledged(samples))));
}

function rowsPending(): Promise<number> {
  return runInDurableObject(
    buffer(),
    (_, { storage: { sql } }) =>
      sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM pending").one().rows,
  );
}

describe("each limit of a sample, below, at and above it", () => {
  it.each(around(ingestLimits.functionLength))("a name of %i characters: %s", async (length, taken) => {
    expect(await isTaken({ ...call, function: "f".repeat(length) })).toBe(taken);
  });

  it.each(around(ingestLimits.moduleLength))("a module of %i characters: %s", async (length, taken) => {
    expect(await isTaken({ ...call, module: "m".repeat(length) })).toBe(taken);
  });

  it.each(around(ingestLimits.callsPerSample))("a sum of %i calls: %s", async (count, taken) => {
    expect(await isTaken(sum(count))).toBe(taken);
  });

  it.each(around(MAX_DURATION_MS))("a duration of %i ms: %s", async (durationMs, taken) => {
    expect(await isTaken({ ...call, durationMs })).toBe(taken);
  });

  it.each(around(ingestLimits.sumMs))("durations of %i ms in one sum: %s", async (sumMs, taken) => {
    const bounds = { calls: 1_000, sumMs, minMs: 1, maxMs: MAX_DURATION_MS, histogram: { "0": 1_000 } };
    expect(await isTaken({ function: "work", ...bounds })).toBe(taken);
  });

  it.each(around(ingestLimits.failuresPerSample))("%i different failures: %s", async (kinds, taken) => {
    const failures = Array.from({ length: kinds }, (_, i) => ({ name: "E", message: `${i}`, calls: 1 }));
    expect(await isTaken({ ...sum(1_000), errors: 1_000, failures })).toBe(taken);
  });

  it("a histogram may have every bucket, but none outside the range", async () => {
    const buckets = ingestLimits.histogramEntries;
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

  it("a sample may be exactly as late as the limit, and no later", async () => {
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now });
    try {
      expect(await isTaken({ ...call, at: now - ingestLimits.sampleAgeMs })).toBe(true);
      expect(await isTaken({ ...call, at: now - ingestLimits.sampleAgeMs - 1 })).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each(around(ingestLimits.failureNameLength))(
    "a failure's name of %i characters is accepted, and cut if it is too long",
    async (length) => {
      expect(await isTaken({ ...call, error: { name: "N".repeat(length), message: "m" } })).toBe(true);
      const kept = Math.min(length, ingestLimits.failureNameLength);
      expect(await failures()).toMatchObject([{ name: "N".repeat(kept), message: "m", calls: 1 }]);
      expect(await metrics()).toMatchObject([{ calls: 1, errors: 1 }]);
    },
  );

  it.each(around(ingestLimits.failureMessageLength))(
    "a failure's message of %i characters is accepted, and cut if it is too long",
    async (length) => {
      const failure = { name: "N", message: "m".repeat(length), calls: 1 };
      expect(await isTaken({ ...sum(1), errors: 1, failures: [failure] })).toBe(true);
      const kept = Math.min(length, ingestLimits.failureMessageLength);
      expect(await failures()).toMatchObject([{ name: "N", message: "m".repeat(kept), calls: 1 }]);
    },
  );

  it.each(around(storeLimits.failuresPerFunction))(
    "%i different failures of one function are kept apart: %s",
    async (kinds, all) => {
      const samples = Array.from({ length: kinds }, (_, i) => ({
        ...call,
        error: { name: "E", message: `${i}` },
      }));
      await acknowledged(samples);
      const found = await failures();
      expect(found.filter(({ name }) => name === "E")).toHaveLength(
        Math.min(kinds, storeLimits.failuresPerFunction),
      );
      expect(found.filter(({ name }) => name === "other")).toHaveLength(all ? 0 : 1);
      expect(found.reduce((total, { calls: each }) => total + each, 0)).toBe(kinds);
    },
  );
});

describe("each limit of a batch, below, at and above it", () => {
  it.each(around(ingestLimits.serviceLength))("a service of %i characters: %s", async (length, taken) => {
    expect((await post([call], { service: "s".repeat(length) })).status).toBe(taken ? 202 : 400);
  });

  it.each(around(ingestLimits.idempotencyKeyLength))("a key of %i characters: %s", async (length, taken) => {
    expect((await post([call], { key: "k".repeat(length) })).status).toBe(taken ? 202 : 400);
  });

  it.each(around(ingestLimits.samplesPerBatch))("%i samples: %s", async (count, taken) => {
    expect((await post(Array.from({ length: count }, () => call))).status).toBe(taken ? 202 : 413);
  });

  it.each(around(ingestLimits.reasonsPerBatch))(
    "%i bad samples get reasons, up to the limit",
    async (count) => {
      const { reasons } = await refused(Array.from({ length: count }, () => ({})));
      expect(reasons).toHaveLength(Math.min(count, ingestLimits.reasonsPerBatch));
    },
  );

  it.each(around(ingestLimits.bodyBytes))("a body of %i bytes: %s", async (bytes, taken) => {
    const response = await fetchWorker("/samples", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ service: "shop", samples: [call] }).padEnd(bytes),
    });
    expect(response.status).toBe(taken ? 202 : 413);
  });

  it.each(around(ingestLimits.storedBytesPerGroup))("%i bytes as stored: %s", async (bytes, taken) => {
    const service = "s".repeat(ingestLimits.serviceLength);
    const at = Date.now();
    const named = (length: number, i: number) => ({
      function: `${"f".repeat(length)}${1_000 + i}`,
      durationMs: 1,
      at,
    });
    const samples = (length: number, longer = 0) =>
      Array.from({ length: 4_000 }, (_, i) => named(length + Number(i < longer), i));
    const stored = (batch: ReturnType<typeof samples>) =>
      JSON.stringify(sumSamples(service, batch, at).deltas).length;
    const missing = bytes - stored(samples(0));
    const batch = samples(Math.floor(missing / 4_000), missing % 4_000);
    expect(stored(batch)).toBe(bytes);
    expect((await post(batch, { service })).status).toBe(taken ? 202 : 413);
  });

  it.each(around(ingestLimits.batchesPerGroup))("%i batches at once in one row: %s", async (count, isOne) => {
    await sentAtOnce(Array.from({ length: count }, () => [call]));
    expect(await rowsPending()).toBe(isOne ? 1 : 2);
    expect(await calls()).toEqual({ work: count });
  });

  it.each(around(ingestLimits.bodyBytesPerGroup))(
    "bodies of %i characters at once in one row: %s",
    async (length, isOne) => {
      const body = JSON.stringify({ service: "shop", samples: [call] });
      const lengths = [1_000_000, 1_000_000, length - 2_000_000];
      await together("ends well", () =>
        Promise.all(
          lengths.map((each) =>
            fetchWorker("/samples", {
              method: "POST",
              headers: { "Content-Type": "application/json" },
              body: body.padEnd(each),
            }),
          ),
        ),
      );
      expect(await rowsPending()).toBe(isOne ? 1 : 2);
      expect(await calls()).toEqual({ work: 3 });
    },
  );

  it.each(around(ingestLimits.deltasPerGroup))("%i samples at once in one row: %s", async (count, isOne) => {
    const named = Array.from({ length: count }, (_, i) => ({ ...call, function: `f${i}` }));
    await sentAtOnce([named.slice(0, 2_000), named.slice(2_000)]);
    expect(await rowsPending()).toBe(isOne ? 1 : 2);
    expect((await metrics()).reduce((sum, row) => sum + row.calls, 0)).toBe(count);
  });
});

describe("each limit of a question, below, at and above it", () => {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  beforeEach(() => acknowledged([call]));

  /** Whether the answer is 200. Otherwise it must be a 400 whose message names the parameter. */
  async function isAnswered(path: string, parameter: string): Promise<boolean> {
    const response = await get(path);
    if (response.status === 200) return true;
    expect(await response.json()).toMatchObject({ error: { code: "invalid_parameter" } });
    expect(response.status).toBe(400);
    expect((await getJson<{ error: { message: string } }>(path, 400)).error.message).toContain(
      `The parameter ${parameter} is `,
    );
    return false;
  }

  it.each(around(limits.seriesPoints))("a series of %i points: %s", async (points, answered) => {
    const path = `/metrics/shop/work?from=${minute - points * 60_000}&to=${minute}&step=60`;
    expect(await isAnswered(path, "step")).toBe(answered);
    const { series } = await getJson<{ series?: unknown[] }>(path, answered ? 200 : 400);
    expect(series?.length).toBe(answered ? points : undefined);
  });

  it.each(around(limits.defaultSeriesPoints))(
    "a range of %i minutes without a step has at most the default number of points",
    async (minutes) => {
      const path = `/metrics/shop/work?from=${minute - minutes * 60_000}&to=${minute}`;
      const { series, stepSeconds } = await getJson<{ series: unknown[]; stepSeconds: number }>(path);
      expect(stepSeconds).toBe(minutes > limits.defaultSeriesPoints ? 120 : 60);
      expect(series.length).toBeLessThanOrEqual(limits.defaultSeriesPoints);
    },
  );

  it.each(around(limits.sparklinePoints))("a sparkline of %i points: %s", async (points, answered) => {
    expect(await isAnswered(`/metrics?from=-1h&points=${points}`, "points")).toBe(answered);
  });

  it.each(around(limits.histogramBuckets))("%i buckets: %s", async (buckets, answered) => {
    expect(await isAnswered(`/metrics/shop/work/histogram?buckets=${buckets}`, "buckets")).toBe(answered);
  });

  it.each(around(limits.searchResults))("%i results of a search: %s", async (count, answered) => {
    expect(await isAnswered(`/search?q=work&limit=${count}`, "limit")).toBe(answered);
  });

  it.each(around(MAX_QUERY_LENGTH))("%i characters to search for: %s", async (length, answered) => {
    const q = "q".repeat(length);
    expect(await isAnswered(`/search?q=${q}`, "q")).toBe(answered);
    expect(await isAnswered(`/metrics?q=${q}`, "q")).toBe(answered);
  });

  it.each(around(limits.functionsPerPage))("%i functions on a page: %s", async (count, answered) => {
    expect(await isAnswered(`/metrics?limit=${count}`, "limit")).toBe(answered);
  });

  it.each(around(limits.defaultFunctionsPerPage))(
    "%i functions without a limit: all on one page is %s",
    async (count, isAll) => {
      const others = Array.from({ length: count - 1 }, (_, i) => ({ ...call, function: `f${i}` }));
      await acknowledged(others, { service: "other" });
      const { functions, next } = await getJson<{ functions: unknown[]; next: string | null }>("/metrics");
      expect(functions).toHaveLength(Math.min(count, limits.defaultFunctionsPerPage));
      expect(next === null).toBe(isAll);
    },
  );

  it.each(around(MAX_RANGE_MS))("a range of %i milliseconds: %s", async (length, answered) => {
    for (const path of ["/metrics", "/metrics/shop/work", "/metrics/shop/work/histogram"]) {
      expect(await isAnswered(`${path}?from=0&to=${length}`, "from")).toBe(answered);
    }
  });
});

it("a buffer whose storage is full accepts no new key and still recognises old ones", async () => {
  await acknowledged([call], { key: "old" });
  const before = bufferLimits.bufferBytes;
  try {
    Object.assign(bufferLimits, { bufferBytes: 1 });
    const response = await post([call], { key: "new" });
    expect(response.status).toBe(503);
    expect(response.headers.get("Retry-After")).toBe("30");
    expect(await acknowledged([call], { key: "old" })).toMatchObject({ duplicate: true });
    expect(await calls()).toEqual({ work: 1 });
  } finally {
    Object.assign(bufferLimits, { bufferBytes: before });
  }
  expect(await acknowledged([call], { key: "new" })).toMatchObject({ duplicate: false });
});
