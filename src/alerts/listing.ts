/** What the object answers about itself, as it crosses to the Worker. All times are epoch seconds. */
import type { Alert } from "./alert.ts";
import type { Evaluation } from "./evaluate.ts";
import type { NamedRule } from "./rule.ts";
import type { Phase } from "./state.ts";
import type { Silence } from "./silence.ts";
import type { TargetStatus } from "./storage/configuration.ts";
import type { AlertEvent, DeliveryEvent } from "./storage/history.ts";
import type { PublicTarget } from "./target.ts";

export interface AlertsHealth {
  /** Whether there are rules or targets, and so an alarm each minute. */
  isActive: boolean;
  /** 0 if there was no evaluation. */
  evaluatedAt: number;
  activeSince: number;
  /** Messages that are not delivered yet. */
  waiting: number;
  /** Why the last evaluation failed. Null if it did not. */
  problem: string | null;
  /** The alerts that are pending, firing or recovering, with their labels as Prometheus names them. */
  active: {
    rule: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    phase: Phase;
    activeAt: number;
    value: number | null;
  }[];
  /** The rules that hold. */
  rules: {
    id: string;
    kind: string;
    /** The rule for readers that know PromQL: its expression, or its JSON. */
    expression: string;
    forSeconds: number;
    severity: string;
    labels: Record<string, string>;
  }[];
  failing: { id: string; since: number; answer: string }[];
}

export interface AlertsListing extends Omit<AlertsHealth, "rules" | "active"> {
  rules: { rule: NamedRule; isDefault: boolean }[];
  alerts: { alert: Alert; isSilenced: boolean }[];
  silences: { id: string; silence: Silence }[];
  targets: { id: string; target: PublicTarget; status: TargetStatus }[];
  /** Latest first. */
  events: AlertEvent[];
  deliveries: DeliveryEvent[];
  unknown: Evaluation["unknown"];
}
