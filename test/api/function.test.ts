import { describe, expect, it } from "vitest";
import type { FunctionDescription } from "../../src/api/describe-function.ts";
import type { Distribution } from "../../src/api/distribution.ts";
import { delta, inD1 } from "../flushes.ts";
import { acknowledged, carryToD1, get, getJson } from "../worker.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const describeA = (query = "") => getJson<FunctionDescription>(`/metrics/shop/a${query}`);

describe("GET /metrics/:service/:function", () => {
  it("has totals, failures and a series with empty steps, whether the calls are in the buffer or in D1", async () => {
    const start = Math.floor(Date.now() / HOUR) * HOUR - 5 * HOUR;
    const error = { name: "TypeError", message: "x is undefined" };
    await acknowledged([
      { function: "a", durationMs: 4, at: start },
      { function: "a", durationMs: 6, at: start + 1, error },
    ]);
    await carryToD1();
    await acknowledged([
      { function: "a", durationMs: 20, at: start + 2 * HOUR, error },
      { function: "a", durationMs: 0, at: start + 2 * HOUR, error: { name: "E", message: "" } },
      { function: "b", durationMs: 1, at: start, error },
    ]);
    const answer = await describeA(`?from=${start}&to=${start + 3 * HOUR}&step=1h`);
    expect(answer).toMatchObject({
      service: "shop",
      function: "a",
      module: "",
      totals: { calls: 4, errors: 3, averageMs: 10, unmeasured: 1, minMs: 4, maxMs: 20 },
      failures: [
        { ...error, calls: 2, firstSeen: new Date(start).toISOString() },
        { name: "E", message: "", calls: 1 },
      ],
      stepSeconds: 3600,
      range: { calls: 4, callsPerSecond: 0.00037037 },
    });
    const empty = {
      averageMs: null,
      minMs: null,
      maxMs: null,
      p50Ms: null,
      p90Ms: null,
      p95Ms: null,
      p99Ms: null,
    };
    expect(answer.series).toMatchObject([
      {
        at: new Date(start).toISOString(),
        calls: 2,
        errors: 1,
        averageMs: 5,
        minMs: 4,
        maxMs: 6,
        p99Ms: expect.closeTo(6, 1),
      },
      { at: new Date(start + HOUR).toISOString(), calls: 0, errors: 0, errorRate: null, ...empty },
      { at: new Date(start + 2 * HOUR).toISOString(), calls: 2, errors: 2, averageMs: 20, p50Ms: 20 },
    ]);
  });

  it("chooses a step with at most 300 points that is not finer than the stored resolution", async () => {
    await acknowledged([{ function: "a", durationMs: 1 }]);
    const steps: number[] = [];
    for (const from of ["-15m", "-1h", "-24h", "-7d", "-90d", "-365d"]) {
      const { stepSeconds, series } = await describeA(`?from=${from}`);
      steps.push(stepSeconds);
      expect(series.length).toBeLessThanOrEqual(300);
    }
    expect(steps).toEqual([60, 60, 300, 3600, 43_200, 172_800]);
    expect((await describeA("?from=0")).series.length).toBeLessThanOrEqual(300);
    expect((await describeA("?from=-10d&step=1m")).stepSeconds).toBe(3600);
    expect((await describeA("?from=-100d&step=1h")).stepSeconds).toBe(86_400);
    await expect(describeA("?from=-40h&step=1m")).rejects.toThrow("It must be at least 120 seconds");
  });

  it("adds up minutes, hours and days", async () => {
    const today = Math.floor(Date.now() / DAY) * DAY;
    await inD1(delta(today - 100 * DAY), delta(today - 10 * DAY + HOUR), delta(today - HOUR));
    const answer = await describeA(`?from=${today - 200 * DAY}&step=1d`);
    expect(answer.range.calls).toBe(3);
    expect(answer.series.filter(({ calls }) => calls > 0).map(({ at }) => at)).toEqual(
      [today - 100 * DAY, today - 10 * DAY, today - DAY].map((at) => new Date(at).toISOString()),
    );
  });

  it.each(["a/b", "a.b", "a b", "ключ-🙂", "50%", "a%2Fb", "?x=1&y", "histogram", "#"])(
    "finds a function named %s",
    async (name) => {
      await acknowledged([{ function: name, durationMs: 1 }], { service: name });
      const path = `/metrics/${encodeURIComponent(name)}/${encodeURIComponent(name)}`;
      expect(await getJson(path)).toMatchObject({ service: name, function: name, totals: { calls: 1 } });
      expect(await getJson(`${path}/histogram`)).toMatchObject({ measured: 1 });
    },
  );

  it.each([".", "..", "%2e", "%2E%2e", "a/..", "op*", "a&module=b"])(
    "finds a function named %s, whose name stands in the query",
    async (name) => {
      await acknowledged([{ function: name, durationMs: 1 }], { service: ".." });
      const query = `service=..&function=${encodeURIComponent(name)}`;
      expect(await getJson(`/function?${query}&module=&from=-1h`)).toMatchObject({
        service: "..",
        function: name,
        range: { calls: 1 },
      });
      expect(await getJson(`/function/histogram?${query}&from=-1h`)).toMatchObject({ measured: 1 });
    },
  );

  it.each([
    ["/function?service=shop", "The parameter function is missing"],
    ["/function/histogram?function=a", "The parameter service is missing"],
    ["/function?service=shop&function=a&step=7", "The parameter step"],
  ])("refuses %s", async (path, problem) => {
    const { error } = await getJson<{ error: { message: string } }>(path, 400);
    expect(error.message).toContain(problem);
  });

  it.each([
    ["decomposed", "re\u0301gler", "r\u00e9gler"],
    ["composed", "r\u00e9gler", "re\u0301gler"],
    ["with spaces around it", " r\u00e9gler ", "r\u00e9gler"],
    ["without the spaces around it", "r\u00e9gler", " r\u00e9gler\t"],
  ])("finds a name that was sent %s, at every door, stored or not", async (_, sent, asked) => {
    await acknowledged([{ function: sent, module: sent, durationMs: 1 }], { service: sent });
    const name = encodeURIComponent(asked);
    for (let i = 0; i < 2; i++) {
      for (const path of [
        `/metrics/${name}/${name}?module=${name}`,
        `/metrics/${name}/${name}/histogram?module=${name}`,
        `/function?service=${name}&function=${name}&module=${name}`,
        `/function/histogram?service=${name}&function=${name}&module=${name}`,
      ]) {
        expect([path, (await get(path)).status]).toEqual([path, 200]);
      }
      const list = await getJson<{ functions: unknown[] }>(`/metrics?service=${name}&function=${name}`);
      expect(list.functions).toHaveLength(1);
      const prefix = encodeURIComponent(asked.trim().slice(0, -3));
      expect(
        (await getJson<{ functions: unknown[] }>(`/metrics?function=${prefix}*`)).functions,
      ).toHaveLength(1);
      const text = await (await get(`/metrics?format=prometheus&service=${name}&function=${name}`)).text();
      expect(text).toContain('function="r\u00e9gler"');
      await carryToD1();
    }
  });

  it("tells the range before what is since the beginning, and the time of each block", async () => {
    const now = Math.floor(Date.now() / HOUR) * HOUR;
    await acknowledged([{ function: "a", durationMs: 1, at: now - 3 * HOUR }]);
    const answer = await describeA(`?from=${now - 2 * HOUR}&to=${now - HOUR}`);
    const keys = Object.keys(answer);
    expect(keys.indexOf("range")).toBeLessThan(keys.indexOf("totals"));
    expect(keys.indexOf("series")).toBeLessThan(keys.indexOf("failures"));
    const [from, to] = [new Date(now - 2 * HOUR).toISOString(), new Date(now - HOUR).toISOString()];
    expect(answer).toMatchObject({ from, to, range: { from, to, calls: 0 } });
    expect(answer.totals).toMatchObject({ from: new Date(now - 3 * HOUR).toISOString(), calls: 1 });
  });

  it("combines all modules unless one is named", async () => {
    await acknowledged([{ function: "a", module: "x", durationMs: 2 }]);
    await carryToD1();
    await acknowledged([
      { function: "a", module: "y", durationMs: 4 },
      { function: "a", durationMs: 6 },
    ]);
    expect(await describeA()).toMatchObject({
      module: null,
      modules: ["", "x", "y"],
      totals: { calls: 3, averageMs: 4 },
      range: { calls: 3 },
    });
    expect(await describeA("?module=x")).toMatchObject({ module: "x", modules: ["x"], totals: { calls: 1 } });
    expect(await describeA("?module=")).toMatchObject({ module: "", totals: { averageMs: 6 } });
  });

  it("answers 404 for a function that was never called", async () => {
    const { error } = await getJson<{ error: unknown }>("/metrics/shop/a?module=x", 404);
    expect(error).toEqual({
      code: "unknown_function",
      message: 'The service "shop" has no function "a" in the module "x".',
    });
    expect((await get("/metrics/shop/a/histogram")).status).toBe(404);
  });

  it("counts new failures as one once a hundred are known", async () => {
    const at = Date.now();
    const failing = (i: number) => ({
      function: "a",
      durationMs: 1,
      at,
      error: { name: "E", message: `${i}` },
    });
    await acknowledged(Array.from({ length: 98 }, (_, i) => failing(i)));
    await carryToD1();
    await acknowledged(Array.from({ length: 5 }, (_, i) => failing(97 + i)));
    const before = (await describeA()).failures;
    await carryToD1();
    const after = (await describeA()).failures;
    for (const failures of [before, after]) {
      expect(failures).toHaveLength(101);
      expect(failures.slice(0, 2)).toMatchObject([
        { name: "E", message: "97", calls: 2 },
        { name: "other", message: "", calls: 2 },
      ]);
      expect(failures.reduce((sum, { calls }) => sum + calls, 0)).toBe(103);
    }
  });
});

describe("GET /metrics/:service/:function/histogram", () => {
  it("gives buckets without gaps and counts that add up, since the beginning or over a range", async () => {
    const at = Date.now() - 2 * HOUR;
    await acknowledged([1, 10, 100].map((durationMs) => ({ function: "a", durationMs, at })));
    await carryToD1();
    await acknowledged([1000, 0].map((durationMs) => ({ function: "a", durationMs })));
    const all = await getJson<Distribution>("/metrics/shop/a/histogram?buckets=10");
    expect(all).toMatchObject({ from: null, to: null, measured: 4, unmeasured: 1 });
    expect(all.buckets.length).toBeLessThanOrEqual(10);
    expect(all.buckets.slice(1).map(({ aboveMs }) => aboveMs)).toEqual(
      all.buckets.slice(0, -1).map(({ toMs }) => toMs),
    );
    const holding = (ms: number) =>
      all.buckets.find(({ aboveMs, toMs }) => aboveMs < ms && ms <= toMs)!.calls;
    expect([1, 10, 100, 1000].map(holding)).toEqual([1, 1, 1, 1]);
    const recent = await getJson<Distribution>("/metrics/shop/a/histogram?from=-1h");
    expect(recent).toMatchObject({ measured: 1, unmeasured: 1 });
    expect(recent.buckets).toHaveLength(1);
  });
});

describe("GET /services", () => {
  it("lists services with the sums of all their functions", async () => {
    await acknowledged([{ function: "a", durationMs: 1, error: {} }], { service: "shop" });
    await acknowledged([{ function: "a", durationMs: 1 }], { service: "post" });
    await carryToD1();
    await acknowledged([
      { function: "a", durationMs: 1 },
      { function: "b", durationMs: 1 },
    ]);
    expect(await getJson("/services")).toMatchObject({
      services: [
        { service: "post", functions: 1, calls: 1, errors: 0, errorRate: 0 },
        { service: "shop", functions: 2, calls: 3, errors: 1, errorRate: 0.333333 },
      ],
    });
  });
});
