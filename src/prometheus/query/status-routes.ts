/** Routes that tell about the server: metadata, build, settings, exemplars, and whether it is up. */
import type { Context } from "hono";
import { version } from "../../../package.json";
import type { HttpEnv } from "../../http/route.ts";
import { parse } from "../../promql/parser.ts";
import { COLLECTOR_METRICS, FUNCTION_METRICS } from "../catalogue.ts";
import { getRoute, postRoute } from "./declare.ts";
import { queryLimits } from "./limits.ts";
import { inParameter, limitOf, type Parameters, textOf } from "./parameters.ts";
import { CONSTANT_METRICS } from "./templates.ts";

/** The version of Prometheus whose language and API this door follows. Clients choose what they ask for by it. */
const PROMETHEUS_VERSION = "3.14.0";

const metadata = getRoute({
  path: "/api/v1/metadata",
  summary: "Types and descriptions of metrics",
  parameters: {
    metric: "The name of a metric. All if left out.",
    limit: "At most so many metrics.",
    limit_per_metric: "At most so many descriptions of each metric.",
  },
  handler(_, parameters) {
    const [limit, perMetric] = [limitOf(parameters), limitOf(parameters, "limit_per_metric")];
    const asked = textOf(parameters, "metric");
    const all = [...FUNCTION_METRICS, ...CONSTANT_METRICS, ...COLLECTOR_METRICS].map((metric) => {
      const { name, type, help } = metric;
      const unit = "unit" in metric ? metric.unit : "";
      return [
        type === "counter" ? `${name}_total` : name,
        [{ type, help, unit }].slice(0, perMetric),
      ] as const;
    });
    return Object.fromEntries(all.filter(([name]) => asked === "" || name === asked).slice(0, limit));
  },
});

const exemplars = {
  path: "/api/v1/query_exemplars",
  summary: "Exemplars. There are none.",
  parameters: { query: "PromQL.", start: "Seconds or RFC 3339.", end: "Seconds or RFC 3339." },
  handler(_: Context<HttpEnv>, parameters: Parameters): unknown[] {
    // Grafana sends milliseconds as seconds here, so the times are not looked at.
    inParameter("query", () => parse(textOf(parameters, "query")));
    return [];
  },
} as const;

// WARNING: without `features`. Grafana takes a server that has it for Mimir, and asks for what there is not.
const buildInfo = getRoute({
  path: "/api/v1/status/buildinfo",
  summary: "The version of Prometheus that this API follows",
  handler: () => ({
    version: PROMETHEUS_VERSION,
    revision: `metrics-collector ${version}`,
    branch: "",
    buildUser: "",
    buildDate: "",
    goVersion: "",
  }),
});

const runtimeInfo = getRoute({
  path: "/api/v1/status/runtimeinfo",
  summary: "How the server runs. A Worker has little of it.",
  handler: () => ({
    startTime: new Date(0).toISOString(),
    CWD: "/",
    hostname: "",
    serverTime: new Date().toISOString(),
    reloadConfigSuccess: true,
    lastConfigTime: new Date(0).toISOString(),
    corruptionCount: 0,
    goroutineCount: 0,
    GOMAXPROCS: 1,
    GOMEMLIMIT: 0,
    GOGC: "",
    GODEBUG: "",
    storageRetention: "minutes for 48h, hours for 90d, days for ever",
  }),
});

const flags = getRoute({
  path: "/api/v1/status/flags",
  summary: "The limits of queries, by the names that Prometheus gives them",
  handler: () => ({
    "query.lookback-delta": "5m",
    "query.max-concurrency": "0",
    "query.max-samples": String(queryLimits.maxSamples),
    "query.timeout": `${queryLimits.timeoutMs / 1000}s`,
  }),
});

const healthy = getRoute({
  path: "/-/healthy",
  summary: "Whether the server answers",
  handler: (c) => c.text("MetricsCollector is Healthy.\n"),
});

const ready = getRoute({
  path: "/-/ready",
  summary: "Whether the server answers queries",
  handler: (c) => c.text("MetricsCollector is Ready.\n"),
});

export const statusRoutes = [
  metadata,
  getRoute(exemplars),
  postRoute(exemplars),
  buildInfo,
  runtimeInfo,
  flags,
  healthy,
  ready,
] as const;
