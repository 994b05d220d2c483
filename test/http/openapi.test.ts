import { exports } from "cloudflare:workers";
import { hc } from "hono/client";
import { describe, expect, it } from "vitest";
import { type App, app } from "../../src/app.ts";
import { FunctionDescription } from "../../src/api/describe-function.ts";
import { Distribution } from "../../src/api/distribution.ts";
import { FunctionList } from "../../src/api/list-functions.ts";
import { SearchResults } from "../../src/api/search.ts";
import { ServiceList } from "../../src/api/services.ts";
import { acknowledged, getJson } from "../worker.ts";

type Document = { paths: Record<string, Record<string, { parameters: { name: string }[] }>> };

describe("GET /openapi.json", () => {
  it("describes every route, and nothing else", async () => {
    const { paths } = await getJson<Document>("/openapi.json");
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(described.sort()).toEqual([...new Set(routes)].sort());
  });

  it("names the parameters that each route accepts", async () => {
    const { paths } = await getJson<Document>("/openapi.json");
    expect(paths["/metrics/{service}/{function}"]!["get"]!.parameters.map(({ name }) => name)).toEqual([
      "service",
      "function",
      "module",
      "from",
      "to",
      "step",
    ]);
  });

  it.each([
    ["/metrics", FunctionList],
    ["/metrics?from=-1h&points=5&limit=1", FunctionList],
    ["/metrics/shop/a", FunctionDescription],
    ["/metrics/shop/a/histogram", Distribution],
    ["/metrics/shop/a/histogram?from=-1h", Distribution],
    ["/services", ServiceList],
    ["/search?q=a", SearchResults],
  ])("describes all that %s answers", async (path, schema) => {
    await acknowledged([
      { function: "a", durationMs: 5, error: { name: "E", message: "a" } },
      { function: "cpu", durationMs: 0 },
    ]);
    const answer = await getJson(path);
    expect(schema.parse(answer)).toEqual(answer);
  });
});

describe("hono's client", () => {
  const client = hc<App>("https://metrics.example", {
    fetch: (input: string | URL | Request, init?: RequestInit) =>
      exports.default.fetch(new Request(input, init)),
  });

  it("knows the parameters and answers of each route", async () => {
    await acknowledged([{ function: "a/b", durationMs: 5 }]);
    const list = await client.metrics.$get({ query: { service: "shop", sort: "averageMs", limit: "1" } });
    const { functions, next } = await list.json();
    const [first] = functions;
    const averageMs: number | null = first!.averageMs;
    expect([averageMs, next]).toEqual([5, null]);

    const one = await client.metrics[":service"][":function"].$get({
      param: { service: "shop", function: encodeURIComponent("a/b") },
      query: { from: "-1h" },
    });
    const { series, failures } = await one.json();
    const calls: number = series.reduce((sum, point) => sum + point.calls, 0);
    expect([calls, failures]).toEqual([1, []]);

    // @ts-expect-error There is no such column.
    const wrong = await client.metrics.$get({ query: { sort: "name" } });
    expect(wrong.status).toBe(400);
  });
});
