/** An alert: one rule about one function, or about one service, that is pending, firing or recovering. */
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import type { NamedRule, Severity } from "./rule.ts";
import type { AlertState } from "./state.ts";

/** `function` and `module` are `*` if the alert is about a whole service. */
export interface Alert extends SeriesId {
  key: string;
  /** Short, for addresses and messages. The same for the same key. */
  id: string;
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
  /** When each target was last told that it fires, in epoch seconds. Only these are told when it ends. */
  told: Record<string, number>;
  acknowledged: { at: number; by: string; note: string } | null;
}

/** Stands for all modules and functions of a service. */
export const WHOLE = "*";

/** Identifies an alert of a rule. The same for ever, so that a repeat is recognised as one. */
export function alertKey(rule: string, part: string, id: SeriesId): string {
  return `${rule}\n${part}\n${seriesKey(id)}`;
}

/** 64 bits of the key, by FNV-1a over both halves. Two alerts of one collector never share it in practice. */
export function alertId(key: string): string {
  return `${fnv(key, 0x811c9dc5)}${fnv(key, 0x1b873593)}`;
}

function fnv(text: string, seed: number): string {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

export function nameOf(rule: NamedRule): string {
  return rule.name ?? rule.id;
}

/** What an alert is about, for people: `checkout of shop`. */
export function subjectOf({ service, module, function: name }: SeriesId): string {
  if (name === WHOLE) return `all of ${service}`;
  return `${name}${module === "" ? "" : ` (${module})`} of ${service}`;
}
