/** Declares the routes of OTLP. */
import type { Context } from "hono";
import * as z from "zod";
import { ErrorResponse } from "../../http/error-response.ts";
import { type HttpEnv, route } from "../../http/route.ts";
import { log } from "../../log.ts";
import { answerType, successBody } from "./answer.ts";
import type { Taken } from "./take.ts";
import { takeMetrics } from "./take-metrics.ts";
import { takeTraces } from "./take-traces.ts";

const ENCODINGS =
  "JSON or protobuf, by Content-Type, also with `Content-Encoding: gzip`. The answer has the same encoding. " +
  "The same bytes count once, however often they are sent. Errors are a `google.rpc.Status`.";

const partialSuccess = (counter: string) =>
  z.object({ partialSuccess: z.object({ [counter]: z.int(), errorMessage: z.string() }).optional() });

export const takeTracesRoute = route({
  method: "post",
  path: "/v1/traces",
  // The handler knows which services the request is of.
  right: "in handler",
  logsErrors: true,
  summary: "Take spans in (OTLP)",
  description: `Each span of a server, a consumer or of internal work counts as a call. ${ENCODINGS}`,
  query: z.object({}),
  body: z.looseObject({ resourceSpans: z.array(z.looseObject({})).optional() }),
  answer: partialSuccess("rejectedSpans"),
  errors: [400, 401, 403, 413, 415, 503],
  handler: async (c) => answerTaken(c, await takeTraces(c.req.raw, c.env), "rejectedSpans"),
});

export const takeMetricsRoute = route({
  method: "post",
  path: "/v1/metrics",
  right: "in handler",
  logsErrors: true,
  summary: "Take metrics in (OTLP)",
  description: `Counters and histograms of calls, delta and cumulative, count under the names of docs/otlp.md. ${ENCODINGS}`,
  query: z.object({}),
  body: z.looseObject({ resourceMetrics: z.array(z.looseObject({})).optional() }),
  answer: partialSuccess("rejectedDataPoints"),
  errors: [400, 401, 403, 413, 415, 503],
  handler: async (c) => answerTaken(c, await takeMetrics(c.req.raw, c.env), "rejectedDataPoints"),
});

export const refuseLogsRoute = route({
  method: "post",
  path: "/v1/logs",
  right: "open",
  summary: "Not taken: logs (OTLP)",
  query: z.object({}),
  answer: z.object({}),
  errors: [404],
  handler() {
    throw new ErrorResponse(
      404,
      "no_logs",
      "This server takes traces and metrics, not logs. Set OTEL_LOGS_EXPORTER=none, or send logs to another endpoint.",
    );
  },
});

function answerTaken(
  c: Context<HttpEnv>,
  taken: Taken,
  counter: "rejectedSpans" | "rejectedDataPoints",
): Response {
  const { accepted, rejected, message } = taken;
  if (rejected > 0) log("otlp_rejected", { requestId: c.get("requestId"), accepted, rejected, message });
  const { headers } = c.req.raw;
  return c.body(successBody(headers, taken, counter) as string, 200, { "Content-Type": answerType(headers) });
}
