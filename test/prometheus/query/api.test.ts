import { describe, expect, it } from "vitest";
import { acknowledged, fetchWorker, get } from "../../worker.ts";
import { ask, askByForm, failure, formOf, toForm } from "./prometheus.ts";

const MINUTE = 60_000;
const now = () => Math.floor(Date.now() / MINUTE) * MINUTE;
const send = (...functions: string[]) =>
  acknowledged(
    functions.map((name) => ({ function: name, module: "app", durationMs: 20, at: now() - MINUTE })),
  );

describe("/api/v1/query", () => {
  it("answers what Grafana's Save & test asks", async () => {
    expect(await askByForm("/api/v1/query", { query: "1+1", time: 4 })).toEqual({
      status: "success",
      data: { resultType: "scalar", result: [4, "2"] },
    });
    const { data } = await ask("/api/v1/status/buildinfo");
    expect(data.version).toMatch(/^3\./);
    expect(data).not.toHaveProperty("features");
  });

  it("answers scalars, strings, vectors, matrices and native histograms in Prometheus' form", async () => {
    await send("a");
    const at = now() / 1000;
    const result = async (query: string) => (await ask("/api/v1/query", { query, time: at })).data;
    const metric = {
      __name__: "function_calls_total",
      function: "a",
      instance: "metrics.example",
      job: "metrics-collector",
      module: "app",
      result: "ok",
      service_name: "shop",
    };
    expect(await result("-1/0")).toEqual({ resultType: "scalar", result: [at, "-Inf"] });
    expect(await result("'x'")).toEqual({ resultType: "string", result: [at, "x"] });
    expect(await result('function_calls_total{result="ok"}')).toEqual({
      resultType: "vector",
      result: [{ metric, value: [at, "1"] }],
    });
    expect(await result('function_calls_total{result="ok"}[1m]')).toEqual({
      resultType: "matrix",
      result: [{ metric, values: [[at, "1"]] }],
    });
    expect(await result("sum(function_calls_duration_seconds)")).toEqual({
      resultType: "vector",
      result: [
        {
          metric: {},
          histogram: [
            at,
            { count: "1", sum: "0.02", buckets: [[0, expect.any(String), expect.any(String), "1"]] },
          ],
        },
      ],
    });
  });

  it("takes times in seconds and RFC 3339, durations in seconds and units, in the URL and in a form", async () => {
    const at = Date.UTC(2026, 10, 24, 9, 30, 0, 500);
    for (const time of [String(at / 1000), "2026-11-24T09:30:00.5Z", "2026-11-24T11:30:00.5+02:00"]) {
      expect((await ask("/api/v1/query", { query: "time()", time })).data.result).toEqual([
        at / 1000,
        String(at / 1000),
      ]);
    }
    for (const step of ["60", "1m", "6e1"]) {
      const range = { query: "time()", start: 0, end: 120, step };
      const values = [0, 60, 120].map((seconds) => [seconds, String(seconds)]);
      for (const answer of [
        await ask("/api/v1/query_range", range),
        await askByForm("/api/v1/query_range", range),
      ]) {
        expect(answer.data).toEqual({ resultType: "matrix", result: [{ metric: {}, values }] });
      }
    }
  });

  it("cuts results off at the limit, and says so", async () => {
    await send("a", "b", "c");
    const answer = await ask("/api/v1/query", {
      query: "sum by (function) (function_calls_total)",
      time: now() / 1000,
      limit: 2,
    });
    expect([answer.data.result.length, answer.warnings]).toEqual([2, ["results truncated due to limit"]]);
  });

  it("passes on what may be wrong with a query", async () => {
    const query = "histogram_quantile(2, function_calls_duration_seconds_bucket)";
    await send("a");
    const { warnings } = await ask("/api/v1/query", { query, time: now() / 1000 });
    expect(warnings).toEqual(["PromQL warning: quantile value should be between 0 and 1, got 2 (1:20)"]);
    const { infos } = await ask("/api/v1/query", { query: "rate(up[5m])", time: now() / 1000 });
    expect(infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "up" (1:6)',
    ]);
  });
});

describe("errors", () => {
  it.each([
    [
      "/api/v1/query",
      { query: "sum(" },
      400,
      "bad_data",
      'invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
    ],
    ["/api/v1/query", {}, 400, "bad_data", /^invalid parameter "query": .*no expression found in input$/],
    [
      "/api/v1/query",
      { query: "1", time: "noon" },
      400,
      "bad_data",
      'invalid parameter "time": cannot parse "noon" to a valid timestamp',
    ],
    [
      "/api/v1/query",
      { query: "1", limit: "-1" },
      400,
      "bad_data",
      /^invalid parameter "limit": limit must be/,
    ],
    [
      "/api/v1/query_range",
      { query: "1", start: 0, end: 1, step: "x" },
      400,
      "bad_data",
      'invalid parameter "step": cannot parse "x" to a valid duration',
    ],
    [
      "/api/v1/query_range",
      { query: "1", end: 1, step: "1" },
      400,
      "bad_data",
      'invalid parameter "start": cannot parse "" to a valid timestamp',
    ],
    [
      "/api/v1/query_range",
      { query: "1", start: 0, end: 1, step: 0 },
      400,
      "bad_data",
      /^zero or negative query resolution step/,
    ],
    [
      "/api/v1/query_range",
      { query: "1", start: 2, end: 1, step: 1 },
      400,
      "bad_data",
      "end timestamp must not be before start time",
    ],
    [
      "/api/v1/query_range",
      { query: "1", start: 0, end: 11_001, step: 1 },
      400,
      "bad_data",
      /^exceeded maximum resolution of 11,000 points per timeseries/,
    ],
    [
      "/api/v1/query_range",
      { query: "up[1m]", start: 0, end: 1, step: 1 },
      400,
      "bad_data",
      /^invalid expression type "range vector" for range query/,
    ],
    [
      "/api/v1/query",
      { query: 'up or on () (up * on () group_left () {job=~".+"})' },
      422,
      "execution",
      /^found duplicate series for the match group/,
    ],
    ["/api/v1/series", {}, 400, "bad_data", "no match[] parameter provided"],
    [
      "/api/v1/series",
      { "match[]": "rate(up[1m])" },
      400,
      "bad_data",
      /^invalid parameter "match\[\]": 1:1: parse error:/,
    ],
    [
      "/api/v1/format_query",
      { query: "sum(" },
      400,
      "bad_data",
      /^invalid parameter "query": 1:5: parse error:/,
    ],
  ])("of %s with %j have Prometheus' form", async (path, parameters, status, type, message) => {
    const [foundStatus, foundType, error] = await failure(path, parameters as Record<string, string>);
    expect([foundStatus, foundType]).toEqual([status, type]);
    expect(error).toMatch(message);
  });
});

describe("which series there are", () => {
  it("is told by series, labels and label values", async () => {
    await send("a", "b");
    const match = '{__name__=~"function_calls(_count)?(_total)?"}';
    const { data: series } = await askByForm("/api/v1/series", { "match[]": [match, "up"] });
    expect(
      series.map((one: Record<string, string>) => `${one["__name__"]} ${one["function"]} ${one["result"]}`),
    ).toEqual([
      "function_calls_total a ok",
      "function_calls_total b ok",
      "function_calls_total a error",
      "function_calls_total b error",
      "up undefined undefined",
    ]);
    const { data: labels } = await askByForm("/api/v1/labels", { "match[]": match });
    expect(labels).toEqual(["__name__", "function", "instance", "job", "module", "result", "service_name"]);
    const values = async (label: string, parameters = {}) =>
      (await ask(`/api/v1/label/${label}/values`, parameters)).data;
    expect(await values("function", { "match[]": match })).toEqual(["a", "b"]);
    expect(await values("le", { "match[]": 'function_calls_duration_seconds_bucket{le=~"1|.Inf"}' })).toEqual(
      ["+Inf", "1.0"],
    );
    expect(await values("__name__")).toContain("function_calls_duration_seconds_count");
    expect(await values("objective_name")).toEqual([]);
    expect(await values("U__service_5f_name")).toEqual(["shop"]);
    expect(await values("reason")).toEqual(["invalid", "too_late"]);
  });

  it("is limited to the range, and cut off at the limit", async () => {
    await send("a", "b");
    const tomorrow = { start: Date.now() / 1000 + 86_400 * 60, end: Date.now() / 1000 + 86_400 * 61 };
    expect((await ask("/api/v1/label/function/values", tomorrow)).data).toEqual([]);
    const yesterday = { start: 0, end: Date.now() / 1000 - 86_400 };
    expect((await ask("/api/v1/label/function/values", yesterday)).data).toEqual([]);
    expect(await ask("/api/v1/label/function/values", { limit: 1 })).toEqual({
      status: "success",
      data: ["a"],
      warnings: ["results truncated due to limit"],
    });
  });

  it("is described by metadata, under the names that queries use", async () => {
    const { data } = await ask("/api/v1/metadata", { limit: 2 });
    expect(data).toEqual({
      function_calls_total: [
        { type: "counter", help: "Calls of the function, by whether they ended in an error.", unit: "" },
      ],
      function_calls_duration_seconds: [
        {
          type: "histogram",
          help: "Durations of the function's calls, as far as they could be measured.",
          unit: "seconds",
        },
      ],
    });
    expect(Object.keys((await ask("/api/v1/metadata", { metric: "up" })).data)).toEqual(["up"]);
  });
});

describe("other routes", () => {
  it("answer what Grafana asks when it loads a data source", async () => {
    expect((await ask("/api/v1/rules")).data).toEqual({ groups: [] });
    expect((await ask("/api/v1/alerts")).data).toEqual({ alerts: [] });
    const milliseconds = { query: "test", start: 1_795_447_980_000, end: 1_795_449_780_000 };
    expect(await askByForm("/api/v1/query_exemplars", milliseconds)).toEqual({ status: "success", data: [] });
    expect((await ask("/api/v1/status/flags")).data["query.max-samples"]).toBe("2000000");
    expect((await ask("/api/v1/status/runtimeinfo")).data.reloadConfigSuccess).toBe(true);
    expect(await (await get("/-/healthy")).text()).toContain("Healthy");
    expect(await (await get("/-/ready")).text()).toContain("Ready");
  });

  it("format and parse queries", async () => {
    expect((await ask("/api/v1/format_query", { query: "sum   by(a)(up)" })).data).toBe("sum by (a) (up)");
    const { data } = await ask("/api/v1/parse_query", {
      query: "sum by (a) (rate(up{b!='c'}[5m] offset 1m)) > bool 1",
    });
    expect(data).toEqual({
      type: "binaryExpr",
      op: ">",
      bool: true,
      matching: null,
      lhs: {
        type: "aggregation",
        op: "sum",
        grouping: ["a"],
        without: false,
        param: null,
        expr: {
          type: "call",
          func: { name: "rate", argTypes: ["matrix"], variadic: 0, returnType: "vector" },
          args: [
            {
              type: "matrixSelector",
              name: "up",
              matchers: [
                { name: "b", type: "!=", value: "c" },
                { name: "__name__", type: "=", value: "up" },
              ],
              range: 300_000,
              offset: 60_000,
              timestamp: null,
              startOrEnd: null,
            },
          ],
        },
      },
      rhs: { type: "numberLiteral", val: "1" },
    });
  });

  it("federate the present values, with all calls so far", async () => {
    await send("a");
    await acknowledged([{ function: "a", module: "app", durationMs: 20 }]);
    const response = await get(
      `/federate?${toForm({ "match[]": ['function_calls_total{result="ok"}', "up"] })}`,
    );
    expect(response.headers.get("Content-Type")).toContain("text/plain; version=0.0.4");
    expect(await response.text()).toBe(`# TYPE function_calls_total untyped
function_calls_total{function="a",instance="metrics.example",job="metrics-collector",module="app",result="ok",service_name="shop"} 2
# TYPE up untyped
up{instance="metrics.example",job="metrics-collector"} 1
`);
  });

  it("take parameters that they do not know, as Prometheus does, and no other method", async () => {
    expect((await ask("/api/v1/query", { query: "1", dedup: "true" })).status).toBe("success");
    const response = await fetchWorker("/api/v1/metadata", formOf({}));
    expect(response.status).toBe(405);
  });
});
