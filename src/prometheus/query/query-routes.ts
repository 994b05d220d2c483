/** `/api/v1/query` and `/api/v1/query_range`: evaluate a query at one time or at many. */
import type { Context } from "hono";
import type { HttpEnv } from "../../http/route.ts";
import { type InstantResult, query, queryRange, type RangeResult } from "../../promql/engine.ts";
import { writeResult } from "./answer.ts";
import { getRoute, postRoute } from "./declare.ts";
import { evaluate } from "./evaluate.ts";
import { durationOf, limitOf, type Parameters, textOf, timeOf } from "./parameters.ts";

const OPTIONS = {
  timeout: "A duration. The query is given up after it.",
  limit: "At most so many series.",
  lookback_delta: "A duration: how old a sample may be.",
};

const instant = {
  path: "/api/v1/query",
  summary: "Evaluates PromQL at one time",
  parameters: { query: "PromQL.", time: "Now if left out. Seconds or RFC 3339.", ...OPTIONS },
  async handler(c: Context<HttpEnv>, parameters: Parameters): Promise<Response> {
    const limit = limitOf(parameters);
    const timeMs = timeOf(parameters, "time", Date.now());
    const text = textOf(parameters, "query");
    const result = await evaluate(c, parameters, (source, options) => query(text, timeMs, source, options));
    return answer(c, result, limit);
  },
} as const;

const range = {
  path: "/api/v1/query_range",
  summary: "Evaluates PromQL at steps over a range of time",
  parameters: {
    query: "PromQL.",
    start: "Seconds or RFC 3339.",
    end: "The last step is at the end or before it.",
    step: "A duration, such as 60 or 1m.",
    ...OPTIONS,
  },
  async handler(c: Context<HttpEnv>, parameters: Parameters): Promise<Response> {
    const limit = limitOf(parameters);
    const [startMs, endMs] = [timeOf(parameters, "start"), timeOf(parameters, "end")];
    const stepMs = durationOf(parameters, "step");
    const text = textOf(parameters, "query");
    const result = await evaluate(c, parameters, (source, options) =>
      queryRange(text, startMs, endMs, stepMs, source, options),
    );
    return answer(c, result, limit);
  },
} as const;

function answer(c: Context<HttpEnv>, result: InstantResult | RangeResult, limit: number): Response {
  return c.body(writeResult(result, limit), 200, { "Content-Type": "application/json" });
}

export const queryRoutes = [
  getRoute(instant),
  postRoute(instant),
  getRoute(range),
  postRoute(range),
] as const;
