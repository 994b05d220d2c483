/** An alert: one rule about one function, or about one service, that is pending, firing or recovering. */
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import type { NamedRule, Severity } from "./rule.ts";
import type { AlertState } from "./state.ts";

/** `function` and `module` are `*` if the alert is about a whole service. */
export interface Alert extends SeriesId {
  key: string;
  rule: string;
  /** Tells apart several alerts of one rule and function. Empty if there is one. */
  part: string;
  /** For people. */
  name: string;
  severity: Severity;
  labels: Record<string, string>;
  runbook: string | null;
  state: AlertState;
  value: number | null;
  sentence: string;
  /** Epoch seconds at which the fields above were last written. */
  changedAt: number;
  /** Whether people were told that it fires, and so are told when it ends. */
  isTold: boolean;
  acknowledged: { at: number; by: string; note: string } | null;
}

/** Stands for all modules and functions of a service. */
export const WHOLE = "*";

/** Identifies an alert of a rule. The same for ever, so that a repeat is recognised as one. */
export function alertKey(rule: string, part: string, id: SeriesId): string {
  return `${rule}\n${part}\n${seriesKey(id)}`;
}

/** Identifies the alert from when it fires until it ends. */
export function episodeOf({ key, state }: Alert): string {
  return `${key}\n${state.firedAt ?? state.activeAt}`;
}

export function nameOf(rule: NamedRule): string {
  return rule.name ?? rule.id;
}

/** What an alert is about, for people: `checkout of shop`. */
export function subjectOf({ service, module, function: name }: SeriesId): string {
  if (name === WHOLE) return `all of ${service}`;
  return `${name}${module === "" ? "" : ` (${module})`} of ${service}`;
}
