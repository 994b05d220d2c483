/** `/api/v1/rules` and `/api/v1/alerts`, in the form that Grafana and other readers of alerts expect. */
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

/** There are no rules yet. Both routes answer from this list. */
const readRuleGroups = (): RuleGroup[] => [];

const rules = getRoute({
  path: "/api/v1/rules",
  summary: "Alerting rules",
  handler: () => ({ groups: readRuleGroups() }),
});

const alerts = getRoute({
  path: "/api/v1/alerts",
  summary: "Alerts that are pending or fire",
  handler: () => ({
    alerts: readRuleGroups().flatMap((group) => group.rules.flatMap((rule) => rule.alerts)),
  }),
});

export const ruleRoutes = [rules, alerts] as const;
