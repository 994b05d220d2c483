import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queryLimits } from "../../../src/prometheus/query/limits.ts";
import { acknowledged, calls } from "../../worker.ts";
import { failure } from "./prometheus.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Changes a limit for one test. */
function withLimit(name: keyof typeof queryLimits, value: number): void {
  const limits = queryLimits as Record<keyof typeof queryLimits, number>;
  const before = limits[name];
  beforeEach(() => {
    limits[name] = value;
  });
  afterEach(() => {
    limits[name] = before;
  });
}

const range = (query: string, steps = 1000, step = 60) => {
  const end = Math.floor(Date.now() / MINUTE) * 60;
  return { query, start: end - steps * step, end, step };
};

describe("a query is refused", () => {
  it.each([
    ["of too many characters", "a".repeat(33_000), 400],
    ["that nests too deep", `${"(".repeat(101)}1${")".repeat(101)}`, 400],
    ["of too long a chain of operators", `1${"+1".repeat(600)}`, 400],
    ["with too large a repeat in an expression", 'up{job=~"(a{1000}){1000}"}', 400],
    ["with too many points in a subquery", "sum_over_time(up[100y:1ms])", 422],
    ["with too many samples of a constant", "count_over_time(up[100y])", 422],
    ["with too many samples of a function", "count_over_time(function_calls_total[100y])", 422],
    ["with nested subqueries", "sum_over_time(sum_over_time(sum_over_time(up[1d:1s])[1d:1s])[1d:1s])", 503],
    ["that sorts long windows at each step", "quantile_over_time(0.5, vector(time())[1d:10s])", 503],
  ])("%s", async (_, query, status) => {
    await acknowledged([{ function: "a", durationMs: 1, at: Date.now() - 10 * MINUTE }]);
    const [found, , error] = await failure("/api/v1/query_range", range(query));
    expect([found, error]).toEqual([status, expect.stringMatching(/./)]);
    expect(await calls()).toEqual({ a: 1 });
  });

  it("and the same expressions that take others exponential time take none here", async () => {
    const query = `up{job=~"(${"a*".repeat(400)})*b"}`;
    expect(await failure("/api/v1/query", { query })).toEqual([200, "", ""]);
  });
});

describe("series", () => {
  withLimit("maxSeries", 3);

  it("are limited before their history is read", async () => {
    await acknowledged(
      ["a", "b"].map((name) => ({ function: name, durationMs: 1, at: Date.now() - MINUTE })),
    );
    const [status, type, error] = await failure("/api/v1/query", { query: "function_calls_total" });
    expect([status, type]).toEqual([422, "execution"]);
    expect(error).toContain("add matchers");
    expect(await failure("/api/v1/query", { query: 'function_calls_total{function="a"}' })).toEqual([
      200,
      "",
      "",
    ]);
  });
});

describe("rollups", () => {
  withLimit("maxRollups", 2);

  it("are limited for all selectors together", async () => {
    await acknowledged(
      [2, 3].map((minutes) => ({ function: "a", durationMs: 1, at: Date.now() - minutes * MINUTE })),
    );
    const query = 'rate(function_calls_total{result="ok"}[1h])';
    expect(await failure("/api/v1/query", { query })).toEqual([200, "", ""]);
    const both = `${query} + ignoring (result) rate(function_calls_total{result="error"}[1h])`;
    expect((await failure("/api/v1/query", { query: both })).slice(0, 2)).toEqual([422, "execution"]);
  });
});

describe("the memory of all queries", () => {
  withLimit("maxNumbersAtOnce", 3);

  it("is limited: a query that finds no room is answered 503, and others run", async () => {
    await acknowledged(
      [2, 3].map((minutes) => ({ function: "a", durationMs: 1, at: Date.now() - minutes * MINUTE })),
    );
    const [status, type] = await failure("/api/v1/query", { query: "rate(function_calls_total[1h])" });
    expect([status, type]).toEqual([503, "timeout"]);
    // What the refused query kept is free again.
    expect(await failure("/api/v1/query", { query: "rate(function_calls_total[30s])" })).toEqual([
      200,
      "",
      "",
    ]);
  });
});

describe("time", () => {
  it("is limited by the request", async () => {
    await acknowledged(
      ["a", "b", "c"].map((name) => ({ function: name, durationMs: 1, at: Date.now() - 40 * HOUR })),
    );
    const query = "quantile_over_time(0.5, function_calls_total[1d])";
    expect(await failure("/api/v1/query_range", { ...range(query, 500), timeout: "1ms" })).toEqual([
      503,
      "timeout",
      "query timed out in expression evaluation",
    ]);
  });
});

it("a missing database is told in Prometheus' form", async () => {
  await env.DB.exec("DROP TABLE rollups");
  await acknowledged([{ function: "a", durationMs: 1, at: Date.now() - MINUTE }]);
  await env.DB.exec("DROP TABLE functions");
  const [status, type, error] = await failure("/api/v1/query", { query: "function_calls_total" });
  expect([status, type]).toEqual([503, "unavailable"]);
  expect(error).toContain("migrations");
});
