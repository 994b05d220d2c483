/**
 * Judges every rule for every function at one moment, and says how the alerts change. Pure: rules, calls and alerts come in,
 * steps come out.
 */
import type { ErrorWatch } from "../stats/attention-errors.ts";
import type { CallCells } from "../stats/call-cells.ts";
import { DAY, HOUR } from "../stats/tiers.ts";
import { idOf, type SeriesId } from "../stats/series-id.ts";
import { type Alert, alertId, alertKey, nameOf, WHOLE } from "./alert.ts";
import { judgeChange, judgeSlower, type SlowerNow } from "./judge/change.ts";
import { judgeFailing } from "./judge/failing.ts";
import { burnWindowsOf, judgeObjective } from "./judge/objective.ts";
import { judgeQuiet, mergeCells } from "./judge/silence.ts";
import { judgeThreshold } from "./judge/threshold.ts";
import { unknown, type Verdict } from "./judge/verdict.ts";
import { type NamedRule, secondsOf } from "./rule.ts";
import { matchesSelector } from "./selector.ts";
import { type AlertState, type Change, isFiring, nextState } from "./state.ts";

/** One function with all that it is judged by. */
export interface Judged extends SeriesId {
  cells: CallCells;
  /** Epoch seconds. Calls before are not known, or 0 if all are. */
  knownSince: number;
  /** As judged in the last quarter of an hour. Undefined if it is not known. */
  slower?: SlowerNow | undefined;
  /** A cached part of the judgement. Saves time. */
  watch?: ErrorWatch | undefined;
}

/** How one alert changes. `after` is undefined if it ends. */
export interface Step {
  rule: string;
  before: Alert | undefined;
  after: Alert | undefined;
  change: Change;
}

export interface Evaluation {
  steps: Step[];
  /** The alerts after the steps. */
  alerts: Map<string, Alert>;
  /** What the rules say of each function that is not ok, or is unknown. */
  unknown: (SeriesId & { rule: string; sentence: string })[];
}

export interface Situation {
  rules: readonly NamedRule[];
  functions: readonly Judged[];
  alerts: ReadonlyMap<string, Alert>;
  /** Epoch seconds at which each service was called again after a silence. The evaluation adds to it. */
  resumed: Map<string, number>;
}

/** `now` is in epoch seconds, at the end of the last minute that counts. */
export function evaluate(situation: Situation, now: number): Evaluation {
  const evaluation: Evaluation = { steps: [], alerts: new Map(situation.alerts), unknown: [] };
  const seen = new Set<string>();
  for (const rule of situation.rules) {
    if (!rule.enabled) continue;
    const functions = situation.functions.filter((one) => matchesSelector(rule.selector, one));
    for (const { id, verdicts } of judgeRule(rule, functions, situation, now)) {
      for (const verdict of verdicts) {
        const key = alertKey(rule.id, verdict.part, id);
        seen.add(key);
        advance(evaluation, rule, id, key, verdict, now);
      }
    }
  }
  for (const [key, alert] of situation.alerts) {
    if (!seen.has(key)) end(evaluation, alert, whyEnded(alert, situation.rules), now);
  }
  return evaluation;
}

/** Nothing could be judged: every alert becomes unknown, and none fires or ends. */
export function evaluateUnknown(alerts: ReadonlyMap<string, Alert>, now: number): Evaluation {
  const evaluation: Evaluation = { steps: [], alerts: new Map(alerts), unknown: [] };
  for (const [key, before] of alerts) {
    const { state, change } = nextState(before.state, "unknown", now, { for: 0, keepFiringFor: 0 });
    if (change === undefined) continue;
    const after = { ...before, state: state!, changedAt: now };
    evaluation.alerts.set(key, after);
    evaluation.steps.push({ rule: before.rule, before, after, change });
  }
  return evaluation;
}

interface Found {
  id: SeriesId;
  verdicts: Verdict[];
}

function judgeRule(
  rule: NamedRule,
  functions: readonly Judged[],
  { alerts, resumed }: Situation,
  now: number,
): Found[] {
  const isOn = (id: SeriesId, part: string) => isFiring(alerts.get(alertKey(rule.id, part, id))?.state);
  const each = (judge: (one: Judged) => Verdict[]) =>
    functions.map((one) => ({ id: idOf(one), verdicts: judge(one) }));
  const after = rule.kind === "silence" && rule.after !== undefined ? secondsOf(rule.after) : undefined;
  switch (rule.kind) {
    case "threshold":
      return each((one) => [
        missing(one, now - secondsOf(rule.window)) ?? judgeThreshold(rule, one.cells, now, isOn(one, "")),
      ]);
    case "objective": {
      const longest = Math.max(...burnWindowsOf(rule).map(({ long }) => long));
      return each((one) => {
        const lacks = missing(one, now - longest);
        const parts = rule.budgetBelow === undefined ? ["page", "ticket"] : ["page", "ticket", "budget"];
        if (lacks) return parts.map((part) => ({ ...lacks, part }));
        return judgeObjective(rule, one.cells, now, (part) => isOn(one, part));
      });
    }
    case "change":
      return each((one) => [
        (rule.figure === "errorRate" && missing(one, now - 2 * HOUR)) ||
          judgeChange(rule, one.cells, one.slower, now),
      ]);
    case "silence":
      return judgeServices(functions, after, resumed, isOn, now);
    case "attention":
      if (rule.judges === "silent") return judgeServices(functions, undefined, resumed, isOn, now);
      if (rule.judges === "slower") return each((one) => [judgeSlower(one.slower)]);
      return each((one) => [judgeFailing(one.cells, now, isOn(one, ""), missing(one, now - DAY), one.watch)]);
  }
}

/** Says that the calls from `from` on are not all known. */
function missing({ knownSince, cells }: Judged, from: number): Verdict | undefined {
  if (from >= knownSince || cells.firstSeen / 1000 >= knownSince) return undefined;
  return unknown("Its past is not read yet. That takes a few minutes after the first rule is made.");
}

/**
 * Judges silence service by service. While a whole service is silent, that is one alert, and its functions are not judged
 * each by itself.
 */
function judgeServices(
  functions: readonly Judged[],
  after: number | undefined,
  resumed: Map<string, number>,
  isOn: (id: SeriesId, part: string) => boolean,
  now: number,
): Found[] {
  const found: Found[] = [];
  for (const [service, own] of Map.groupBy(functions, (one) => one.service)) {
    const whole = { service, module: WHOLE, function: WHOLE };
    let isSilent = false;
    if (own.length > 1) {
      const verdict = judgeWhole(own, after, now);
      isSilent = verdict.condition === "true";
      if (isOn(whole, "") && verdict.condition === "false") resumed.set(service, now);
      found.push({ id: whole, verdicts: [verdict] });
    }
    for (const one of own) {
      const aliveSince = resumed.get(service) ?? 0;
      const lacks =
        after === undefined && now - one.cells.lastSeen / 1000 > 300 ? missing(one, now - HOUR) : undefined;
      const verdict = isSilent
        ? unknown("The whole service is silent.")
        : (lacks ?? judgeQuiet(one.cells, after, aliveSince, now));
      found.push({ id: idOf(one), verdicts: [verdict] });
    }
  }
  return found;
}

function judgeWhole(own: readonly Judged[], after: number | undefined, now: number): Verdict {
  const lacking = own.map((one) => missing(one, now - HOUR)).find((lacks) => lacks !== undefined);
  const lastSeen = Math.max(...own.map(({ cells }) => cells.lastSeen));
  // Merging the calls of many functions takes time, and a service is rarely quiet.
  if (now - lastSeen / 1000 <= 300)
    return { condition: "false", value: 0, sentence: "It is called.", part: "" };
  if (after === undefined && lacking) return lacking;
  return judgeQuiet(mergeCells(own.map(({ cells }) => cells)), after, 0, now);
}

function advance(
  evaluation: Evaluation,
  rule: NamedRule,
  id: SeriesId,
  key: string,
  verdict: Verdict,
  now: number,
): void {
  const before = evaluation.alerts.get(key);
  const timing = {
    for: verdict.isUrgent ? 0 : secondsOf(rule.for),
    keepFiringFor: secondsOf(rule.keepFiringFor),
  };
  if (verdict.condition === "unknown") {
    evaluation.unknown.push({ ...idOf(id), rule: rule.id, sentence: verdict.sentence });
  }
  const { state, change } = nextState(before?.state, verdict.condition, now, timing);
  if (change === undefined) {
    // The time since when it is pending may have moved.
    if (before && state && state.activeAt !== before.state.activeAt)
      evaluation.alerts.set(key, { ...before, state });
    return;
  }
  const after = state && alertOf(rule, id, key, verdict, state, before, now);
  // An alert that ends keeps what it last said, but for why it is over.
  const ended = before && !after ? { ...before, sentence: verdict.sentence, value: verdict.value } : before;
  if (after) evaluation.alerts.set(key, after);
  else evaluation.alerts.delete(key);
  evaluation.steps.push({ rule: rule.id, before: ended, after, change });
}

function alertOf(
  rule: NamedRule,
  id: SeriesId,
  key: string,
  verdict: Verdict,
  state: AlertState,
  before: Alert | undefined,
  now: number,
): Alert {
  const isKnown = verdict.condition === "true" || !before;
  return {
    ...idOf(id),
    key,
    id: before?.id ?? alertId(key),
    rule: rule.id,
    part: verdict.part,
    name: nameOf(rule),
    severity: verdict.severity ?? rule.severity,
    labels: rule.labels,
    runbook: rule.runbook ?? null,
    state,
    value: isKnown ? verdict.value : before.value,
    sentence: isKnown ? verdict.sentence : before.sentence,
    changedAt: now,
    told: before?.told ?? {},
    acknowledged: before?.acknowledged ?? null,
  };
}

function end(evaluation: Evaluation, before: Alert, sentence: string, now: number): void {
  evaluation.alerts.delete(before.key);
  evaluation.steps.push({
    rule: before.rule,
    before: { ...before, sentence, changedAt: now },
    after: undefined,
    change: isFiring(before.state) ? "resolved" : "dropped",
  });
}

function whyEnded(alert: Alert, rules: readonly NamedRule[]): string {
  const rule = rules.find(({ id }) => id === alert.rule);
  if (!rule) return "The rule was deleted.";
  if (!rule.enabled) return "The rule was switched off.";
  return matchesSelector(rule.selector, alert)
    ? "The function is no longer known: it was deleted, or not called for 28 days."
    : "The rule no longer selects it.";
}
