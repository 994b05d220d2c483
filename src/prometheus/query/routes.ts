/** All routes of the Prometheus HTTP API. */
import { federateRoutes } from "./federate.ts";
import { queryRoutes } from "./query-routes.ts";
import { ruleRoutes } from "./rule-routes.ts";
import { seriesRoutes } from "./series-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { textRoutes } from "./text-routes.ts";

export const prometheusRoutes = [
  ...queryRoutes,
  ...seriesRoutes,
  ...textRoutes,
  ...statusRoutes,
  ...ruleRoutes,
  ...federateRoutes,
] as const;
