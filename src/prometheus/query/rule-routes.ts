/** `/api/v1/rules` and `/api/v1/alerts`, in the form that Grafana and other readers of alerts expect. */
import { type AlertsHealth, readAlertsHealth } from "../../alerts/health.ts";
import { getRoute } from "./declare.ts";

/** An alert that is pending or fires. */
export interface ActiveAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  state: "pending" | "firing";
  /** ISO 8601. */
  activeAt: string;
  value: string;
}

export interface AlertingRule {
  type: "alerting";
  state: "inactive" | "pending" | "firing";
  name: string;
  query: string;
  /** Seconds. */
  duration: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  alerts: ActiveAlert[];
  health: "ok" | "err" | "unknown";
}

export interface RuleGroup {
  name: string;
  file: string;
  /** Seconds. */
  interval: number;
  rules: AlertingRule[];
}

/** Rules are evaluated once a minute. */
const INTERVAL_SECONDS = 60;

/** The rules of alerts, as one group. Empty if there are no rules of somebody's own and no targets. */
async function readRuleGroups(env: Pick<Env, "ALERTS">): Promise<RuleGroup[]> {
  const health = await readAlertsHealth(env);
  if (!health) return [];
  const rules = health.rules.map(({ id, kind, expression, forSeconds, severity, labels }): AlertingRule => {
    const alerts = health.active.filter(({ rule }) => rule === id).map(alertOf);
    const isFiring = alerts.some(({ state }) => state === "firing");
    return {
      type: "alerting",
      state: isFiring ? "firing" : alerts.length > 0 ? "pending" : "inactive",
      name: id,
      // Rules that are no PromQL are described by their JSON.
      query: expression,
      duration: forSeconds,
      labels: { ...labels, severity },
      annotations: { kind },
      alerts,
      health: health.problem === null ? "ok" : "unknown",
    };
  });
  return [{ name: "alerts", file: "/alerts", interval: INTERVAL_SECONDS, rules }];
}

function alertOf({
  labels,
  annotations,
  phase,
  activeAt,
  value,
}: AlertsHealth["active"][number]): ActiveAlert {
  return {
    labels,
    annotations,
    state: phase === "pending" ? "pending" : "firing",
    activeAt: new Date(activeAt * 1000).toISOString(),
    value: value === null ? "" : String(value),
  };
}

const rules = getRoute({
  path: "/api/v1/rules",
  summary: "Alerting rules",
  handler: async (c) => ({ groups: await readRuleGroups(c.env) }),
});

const alerts = getRoute({
  path: "/api/v1/alerts",
  summary: "Alerts that are pending or fire",
  handler: async (c) => ({
    alerts: (await readRuleGroups(c.env)).flatMap((group) => group.rules.flatMap((rule) => rule.alerts)),
  }),
});

export const ruleRoutes = [rules, alerts] as const;
