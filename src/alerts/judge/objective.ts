/** Judges whether an objective's budget burns too fast: one alert that pages, one that asks for a ticket. */
import {
  BURN_WINDOWS,
  badShare,
  budgetAt,
  burnRate,
  type BurnWindows,
  canBurn,
  type Objective,
} from "../../stats/burn.ts";
import type { CallCells } from "../../stats/call-cells.ts";
import { type RuleOf, secondsOf } from "../rule.ts";
import { HYSTERESIS } from "./threshold.ts";
import { type Verdict, unknown } from "./verdict.ts";
import { lastSpan, milliseconds, percent, span } from "./words.ts";

type Rule = RuleOf<"objective">;

export function objectiveOf({ success, latency }: Rule): Objective {
  return latency ? { target: latency[1] / 100, limitMs: latency[0] } : { target: success! / 100 };
}

export function burnWindowsOf({ windows }: Rule): BurnWindows[] {
  return windows
    ? windows.map(({ long, short, ...rest }) => ({ ...rest, long: secondsOf(long), short: secondsOf(short) }))
    : [...BURN_WINDOWS];
}

/** `isOn` says whether the alert of a part is on now. `now` is in epoch seconds. */
export function judgeObjective(
  rule: Rule,
  cells: CallCells,
  now: number,
  isOn: (part: string) => boolean,
): Verdict[] {
  const objective = objectiveOf(rule);
  const windows = burnWindowsOf(rule).filter((one) => canBurn(one, objective));
  const verdicts: Verdict[] = [];
  let isPaging = false;
  for (const severity of ["page", "ticket"] as const) {
    const own = windows.filter((one) => one.severity === severity);
    if (own.length === 0) continue;
    const judged = judgeBurn(rule, objective, own, cells, now, isOn(severity));
    // While it pages, a ticket says nothing new. It keeps the state that it has.
    if (severity === "ticket" && isPaging && judged.condition === "true" && !isOn("ticket")) {
      verdicts.push({ ...unknown("It pages already.", severity), severity });
    } else verdicts.push({ ...judged, part: severity, severity });
    if (severity === "page") isPaging = judged.condition === "true";
  }
  if (rule.budgetBelow !== undefined)
    verdicts.push(judgeBudget(rule, rule.budgetBelow, cells, now, isOn("budget")));
  return verdicts;
}

function judgeBurn(
  rule: Rule,
  objective: Objective,
  windows: readonly BurnWindows[],
  cells: CallCells,
  now: number,
  isOn: boolean,
): Verdict {
  const margin = isOn ? 1 - HYSTERESIS : 1;
  let [hasCalls, highest, sentence] = [false, 0, ""];
  for (const { long, short, factor } of windows) {
    const over = badShare(cells, objective, now - long, now);
    const burn = burnRate(over, objective);
    const recent = burnRate(badShare(cells, objective, now - short, now), objective);
    if (burn === null) continue;
    hasCalls = true;
    const isBurning =
      over.bad >= rule.minErrors && burn >= factor * margin && recent !== null && recent >= factor * margin;
    if (isBurning) {
      const said =
        `The budget burns ${rate(burn)} times too fast over ${span(long)}: ` +
        `${percent(over.bad / over.all)} of calls ${failed(objective)}, and ${percent(1 - objective.target)} may.`;
      return { condition: "true", value: burn, sentence: said, part: "" };
    }
    if (burn >= highest) {
      highest = burn;
      sentence = `The budget burns at ${rate(burn)} times its rate over ${span(long)}; the limit is ${factor}.`;
    }
  }
  if (!hasCalls) return unknown(`It had no calls ${lastSpan(windows.at(-1)!.long)}.`);
  return { condition: "false", value: highest, sentence, part: "" };
}

function judgeBudget(rule: Rule, below: number, cells: CallCells, now: number, isOn: boolean): Verdict {
  const objective = objectiveOf(rule);
  const { left, bad } = budgetAt(cells, objective, now);
  if (left === null)
    return { ...unknown("It had no calls in the last 28 days.", "budget"), severity: "ticket" };
  const level = isOn ? below + HYSTERESIS * (1 - below) : below;
  return {
    condition: left < level && bad >= rule.minErrors ? "true" : "false",
    value: left,
    sentence: `${percent(Math.max(0, left))} of the budget of 28 days is left; the limit is ${percent(below)}.`,
    part: "budget",
    severity: "ticket",
  };
}

function failed({ limitMs }: Objective): string {
  return limitMs === undefined ? "failed" : `took longer than ${milliseconds(limitMs)}`;
}

function rate(burn: number): string {
  return String(Number(burn.toPrecision(3)));
}
