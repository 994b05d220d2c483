/** The rules that the simulator compares, fed minute by minute through the real judges and the real state machine. */
import { judgeChange } from "../../src/alerts/judge/change.ts";
import { judgeWatch } from "../../src/alerts/judge/failing.ts";
import { judgeObjective } from "../../src/alerts/judge/objective.ts";
import { judgeThreshold } from "../../src/alerts/judge/threshold.ts";
import type { Verdict } from "../../src/alerts/judge/verdict.ts";
import { DEFAULT_RULES, Rule, type RuleOf, secondsOf } from "../../src/alerts/rule.ts";
import { type AlertState, nextState } from "../../src/alerts/state.ts";
import { ErrorWatch } from "../../src/stats/attention-errors.ts";
import type { CallCells, Cell } from "../../src/stats/call-cells.ts";
import { EPOCH_MINUTE } from "../attention/errors.ts";
import type { Minute } from "../attention/functions.ts";

export const RULES = {
  failing: DEFAULT_RULES.find(({ id }) => id === "failing")!,
  "threshold 5 %": Rule.parse({ kind: "threshold", figure: "errorRate", above: 0.05 }),
  "objective 99 %": Rule.parse({ kind: "objective", success: 99 }),
  "objective 99.9 %": Rule.parse({ kind: "objective", success: 99.9 }),
  change: Rule.parse({ kind: "change", figure: "errorRate" }),
} as const;
export type RuleName = keyof typeof RULES;

/** One function under one rule. */
export class Watched {
  readonly #rule: Rule;
  readonly #watch: ErrorWatch | undefined;
  #minute = EPOCH_MINUTE;
  #minutes: Cell[] = [];
  readonly #hours: Cell[] = [];
  readonly #states = new Map<string, AlertState | undefined>();

  constructor(name: RuleName) {
    this.#rule = RULES[name];
    this.#watch = this.#rule.kind === "attention" ? new ErrorWatch() : undefined;
  }

  /** Adds the next minute, and judges it if asked to. Says whether an alert that pages began to fire. */
  add({ calls, errors }: Minute, isJudged: boolean): boolean {
    const start = this.#minute * 60;
    if (this.#minute++ % 60 === 0) this.#age(start);
    if (calls > 0) this.#minutes.push({ start, calls, errors, measured: calls, sumUs: 0 });
    this.#watch?.addMinute({ start, calls, errors });
    if (!isJudged) return false;
    const now = start + 60;
    const timing = { for: secondsOf(this.#rule.for), keepFiringFor: secondsOf(this.#rule.keepFiringFor) };
    let hasFired = false;
    for (const verdict of this.#judge(now)) {
      const own = verdict.isUrgent ? { ...timing, for: 0 } : timing;
      const { state, change } = nextState(this.#states.get(verdict.part), verdict.condition, now, own);
      this.#states.set(verdict.part, state);
      if (change === "fired" && verdict.severity !== "ticket") hasFired = true;
    }
    return hasFired;
  }

  #judge(now: number): Verdict[] {
    const cells: CallCells = {
      firstSeen: EPOCH_MINUTE * 60_000,
      lastSeen: (this.#minutes.at(-1)?.start ?? 0) * 1000,
      minutes: this.#minutes,
      hours: this.#hours,
    };
    const isOn = (part: string) => {
      const phase = this.#states.get(part)?.phase;
      return phase === "firing" || phase === "recovering";
    };
    const rule = this.#rule as RuleOf<"attention" | "threshold" | "objective" | "change">;
    switch (rule.kind) {
      case "attention":
        return [judgeWatch(this.#watch!, cells, now, isOn(""))];
      case "threshold":
        return [judgeThreshold(rule, cells, now, isOn(""))];
      case "objective":
        return judgeObjective(rule, cells, now, isOn);
      case "change":
        return [judgeChange(rule, cells, undefined, now)];
    }
  }

  /** Moves minutes older than 48 hours into hours, as the collector does. */
  #age(now: number): void {
    const cut = now - 48 * 3600;
    let aged = 0;
    for (const { start, calls, errors } of this.#minutes) {
      if (start >= cut) break;
      aged++;
      const hour = Math.floor(start / 3600) * 3600;
      const last = this.#hours.at(-1);
      if (last?.start === hour) {
        last.calls += calls;
        last.errors += errors;
        last.measured += calls;
      } else this.#hours.push({ start: hour, calls, errors, measured: calls, sumUs: 0 });
    }
    this.#minutes = this.#minutes.slice(aged);
    while (this.#hours.length > 0 && this.#hours[0]!.start < now - 28 * 86_400) this.#hours.shift();
  }
}
