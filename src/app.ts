/** The HTTP app: the middleware of every request, the routes, and the answers to failed requests. */
import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { cors } from "./access/cors.ts";
import { guard } from "./access/guard.ts";
import { localHosts } from "./access/local-hosts.ts";
import { rejectCrossOriginWrites } from "./access/reject-cross-origin-writes.ts";
import { listDeadLettersRoute, dropDeadLetterRoute, replayDeadLetterRoute } from "./admin/dead-letters.ts";
import {
  deleteFunctionByQueryRoute,
  deleteFunctionRoute,
  deleteServiceByQueryRoute,
  deleteServiceRoute,
} from "./admin/delete-series.ts";
import { flushNowRoute } from "./admin/flush-now.ts";
import { healthRoute } from "./admin/health.ts";
import { muteRoute, unmuteRoute } from "./admin/mutes.ts";
import { repairRoute } from "./admin/repair.ts";
import { listAlertsRoute } from "./alerts/routes/list.ts";
import { previewRuleRoute } from "./alerts/routes/preview.ts";
import { deleteRuleRoute, getRuleRoute, putRuleRoute } from "./alerts/routes/rules.ts";
import { acknowledgeRoute, deleteSilenceRoute, putSilenceRoute } from "./alerts/routes/silences.ts";
import {
  deleteTargetRoute,
  getTargetRoute,
  putTargetRoute,
  testTargetRoute,
} from "./alerts/routes/targets.ts";
import { attentionRoute } from "./api/attention.ts";
import { describeFunctionByQueryRoute, describeFunctionRoute } from "./api/describe-function.ts";
import { distributionByQueryRoute, distributionRoute } from "./api/distribution.ts";
import { listFunctionsRoute } from "./api/list-functions.ts";
import { searchRoute } from "./api/search.ts";
import { listServicesRoute } from "./api/services.ts";
import { answerError, answerUnknownMethod, answerUnknownPath } from "./http/answer-error.ts";
import { mount } from "./http/mount.ts";
import { openApiRoute } from "./http/openapi.ts";
import { page } from "./http/page.ts";
import type { HttpEnv } from "./http/route.ts";
import { securityHeaders } from "./http/security-headers.ts";
import { serverTime } from "./http/server-time.ts";
import { answerErrorsInOtlp } from "./ingest/otlp/answer-errors.ts";
import { refuseLogsRoute, takeMetricsRoute, takeTracesRoute } from "./ingest/otlp/route.ts";
import { takeSamplesRoute } from "./ingest/samples/route.ts";
import { prometheusRoutes } from "./prometheus/query/routes.ts";
import { scrapeRoute } from "./prometheus/scrape.ts";
import { sinkRoutes } from "./sinks/routes.ts";

const routes = [
  takeSamplesRoute,
  takeTracesRoute,
  takeMetricsRoute,
  refuseLogsRoute,
  scrapeRoute,
  listFunctionsRoute,
  describeFunctionRoute,
  describeFunctionByQueryRoute,
  distributionRoute,
  distributionByQueryRoute,
  listServicesRoute,
  searchRoute,
  deleteServiceRoute,
  deleteFunctionRoute,
  deleteServiceByQueryRoute,
  deleteFunctionByQueryRoute,
  attentionRoute,
  listAlertsRoute,
  previewRuleRoute,
  getRuleRoute,
  putRuleRoute,
  deleteRuleRoute,
  getTargetRoute,
  putTargetRoute,
  deleteTargetRoute,
  testTargetRoute,
  putSilenceRoute,
  deleteSilenceRoute,
  acknowledgeRoute,
  muteRoute,
  unmuteRoute,
  healthRoute,
  listDeadLettersRoute,
  replayDeadLetterRoute,
  dropDeadLetterRoute,
  flushNowRoute,
  repairRoute,
  ...sinkRoutes,
  ...prometheusRoutes,
] as const;

const base = new Hono<HttpEnv>();
base.use("/v1/*", answerErrorsInOtlp);
base.use(serverTime, requestId(), securityHeaders, cors, localHosts, rejectCrossOriginWrites);
base.use("/", page);
base.use(methodNotAllowed({ app: base, onMethodNotAllowed: answerUnknownMethod }));
base.notFound(answerUnknownPath);
base.onError(answerError);

export const app = mount(base, guard, [...routes, openApiRoute(routes)]);

/** For hono's client (`hc`): the parameters and the answer of each route. */
export type App = typeof app;
