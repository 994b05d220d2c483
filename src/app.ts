/** The HTTP face: routes, and the one shape of every error. */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { cors } from "./access/cors.ts";
import { guard } from "./access/guard.ts";
import { rejectCrossOriginWrites } from "./access/reject-cross-origin-writes.ts";
import { BindingFault } from "./binding-fault.ts";
import { ConfigurationError } from "./configuration.ts";
import { dropDeadLetter, listDeadLetters, replayDeadLetter } from "./admin/dead-letters.ts";
import { ErrorResponse, unavailable } from "./http/error-response.ts";
import { takeSamples } from "./ingest/samples/take-samples.ts";
import { log, logError } from "./log.ts";
import { openApiDocument } from "./http/openapi.ts";
import { describeFunction, DescribeParameters } from "./api/describe-function.ts";
import { DistributionParameters, readDistribution } from "./api/distribution.ts";
import { listFunctions, ListParameters } from "./api/list-functions.ts";
import { exposeMetrics } from "./prometheus/expose-metrics.ts";
import { readHealth } from "./admin/health.ts";
import { search, SearchParameters } from "./api/search.ts";
import { listServices, NoParameters } from "./api/services.ts";
import { query } from "./http/validate.ts";

/** After a fault of a binding. Most are over by then. */
const RETRY_AFTER_SECONDS = 5;

const base = new Hono<{ Bindings: Env }>();

/** Of what answers may say to browsers, that which concerns data: the rest is for documents and for browsers that are gone. */
const forData = secureHeaders({
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  removePoweredBy: false,
});

base.use(requestId(), forData, cors, rejectCrossOriginWrites, guard);

base.use(
  methodNotAllowed({
    app: base,
    onMethodNotAllowed: (c, methods) => {
      const allowed = methods.join(", ");
      const message = `${c.req.path} takes ${allowed}, not ${c.req.method}.`;
      return new ErrorResponse(405, "method_not_allowed", message, { Allow: allowed }).getResponse();
    },
  }),
);

/** Chained, so that its type tells callers (`hc`) what each route takes and answers. */
export const app = base
  .post("/samples", async (c) => {
    const { answer, rejected } = await takeSamples(c.req.raw, c.env);
    if (answer.rejected > 0) log("samples_rejected", { requestId: c.get("requestId"), rejected });
    return c.json(answer, 202);
  })
  .get("/metrics", exposeMetrics, query(ListParameters), async (c) =>
    c.json(await listFunctions(c.env, c.req.valid("query"))),
  )
  .get("/metrics/:service/:function", query(DescribeParameters), async (c) => {
    const { module, ...asked } = c.req.valid("query");
    return c.json(await describeFunction(c.env, { ...c.req.param(), module }, asked));
  })
  .get("/metrics/:service/:function/histogram", query(DistributionParameters), async (c) => {
    const { module, ...asked } = c.req.valid("query");
    return c.json(await readDistribution(c.env, { ...c.req.param(), module }, asked));
  })
  .get("/services", query(NoParameters), async (c) => c.json(await listServices(c.env)))
  .get("/search", query(SearchParameters), async (c) => c.json(await search(c.env, c.req.valid("query"))))
  .get("/openapi.json", (c) => c.json(openApiDocument()))
  .get("/health", async (c) => {
    const health = await readHealth(c.env);
    return c.json(health, health.status === "ok" ? 200 : 503);
  })
  .get("/dead-letters", async (c) => c.json({ deadLetters: await listDeadLetters(c.env) }))
  .post("/dead-letters/:id/replay", async (c) => {
    await replayDeadLetter(c.env, c.req.param("id"));
    return c.json({ replayed: c.req.param("id") }, 202);
  })
  .delete("/dead-letters/:id", async (c) => c.json(await dropDeadLetter(c.env, c.req.param("id"))));

export type App = typeof app;

app.notFound((c) => {
  const response = new ErrorResponse(404, "not_found", `There is nothing at ${c.req.path}.`).getResponse();
  return c.newResponse(response.body, response);
});

app.onError((error, c) => {
  if (error instanceof ErrorResponse && c.req.method === "POST" && c.req.path === "/samples") {
    logRefusal(error, c.get("requestId"));
  }
  const response = toResponse(error, c.get("requestId"));
  return c.newResponse(response.body, response);
});

/** A sender may never look at what it is told. */
function logRefusal({ status, code, cause }: ErrorResponse, requestId: string): void {
  if (cause === undefined) log("refused", { requestId, status, code });
  else logError("record_failed", cause, { requestId, status, code });
}

function toResponse(error: Error, requestId: string): Response {
  if (error instanceof HTTPException) return error.getResponse();
  logError("request_failed", error, { requestId });
  return answerTo(error, requestId).getResponse();
}

function answerTo(error: Error, requestId: string): ErrorResponse {
  const where = `the log says why, at request ${requestId}.`;
  if (error instanceof BindingFault) {
    const message = `${error.binding} does not answer now: ask again later; ${where}`;
    return unavailable("unavailable", message, RETRY_AFTER_SECONDS);
  }
  return error instanceof ConfigurationError
    ? new ErrorResponse(500, "misconfigured", error.message)
    : new ErrorResponse(500, "internal_error", `The request failed; ${where}`);
}
