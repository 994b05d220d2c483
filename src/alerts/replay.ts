/**
 * Says how often a rule would have fired in the past, by judging it again minute by minute. Pure.
 *
 * Minutes are known for two days. Of older hours only the sums are known, so their calls are spread evenly over the hour: a
 * fault of a few minutes looks smaller there than it was.
 */
import { ErrorWatch } from "../stats/attention-errors.ts";
import type { CallCells, Cell } from "../stats/call-cells.ts";
import { HOUR, MINUTE } from "../stats/tiers.ts";
import { judgeChange } from "./judge/change.ts";
import { judgeWatch } from "./judge/failing.ts";
import { judgeObjective } from "./judge/objective.ts";
import { judgeQuiet } from "./judge/silence.ts";
import { judgeThreshold } from "./judge/threshold.ts";
import type { Verdict } from "./judge/verdict.ts";
import { type Rule, secondsOf } from "./rule.ts";
import { type AlertState, isFiring, nextState } from "./state.ts";

/** One time that it would have fired. Times are epoch seconds. */
export interface Firing {
  firedAt: number;
  /** Null if it would fire still. */
  endedAt: number | null;
  sentence: string;
}

/** Whether the past of a rule can be judged again. Durations by quarters of an hour are not kept. */
export function canReplay(rule: Rule): boolean {
  if (rule.kind === "attention") return rule.judges !== "slower";
  return rule.kind !== "change" || rule.figure === "errorRate";
}

/** @param cells the calls until `to` @param from @param to epoch seconds, whole minutes */
export function replay(rule: Rule, cells: CallCells, from: number, to: number): Firing[] {
  const timing = { for: secondsOf(rule.for), keepFiringFor: secondsOf(rule.keepFiringFor) };
  const states = new Map<string, AlertState | undefined>();
  const firings: (Firing & { part: string })[] = [];
  const isOn = (part: string) => isFiring(states.get(part));
  for (const { at, verdicts } of judgements(rule, cells, from, to, isOn)) {
    for (const { part, condition, isUrgent, sentence } of verdicts) {
      const own = isUrgent ? { ...timing, for: 0 } : timing;
      const { state, change } = nextState(states.get(part), condition, at, own);
      states.set(part, state);
      if (change === "fired") firings.push({ part, firedAt: at, endedAt: null, sentence });
      const open = firings.findLast((firing) => firing.part === part && firing.endedAt === null);
      if (change === "resolved" && open) open.endedAt = at;
    }
  }
  return firings.map(({ part: _, ...firing }) => firing);
}

interface Moment {
  at: number;
  verdicts: Verdict[];
}

function* judgements(
  rule: Rule,
  cells: CallCells,
  from: number,
  to: number,
  isOn: (part: string) => boolean,
): Generator<Moment> {
  const watch = rule.kind === "attention" && rule.judges === "failing" ? new ErrorWatch() : undefined;
  const growing: CallCells & { minutes: Cell[]; hours: Cell[] } = { ...cells, minutes: [], hours: [] };
  const minutes = [
    ...cells.hours.flatMap((hour) => (hour.start >= from ? spread(hour) : [])),
    ...cells.minutes,
  ];
  for (const hour of cells.hours) {
    if (hour.start >= from) continue;
    growing.hours.push(hour);
    watch?.addHour(hour);
  }
  const step = stepOf(rule);
  let next = 0;
  for (let at = from + MINUTE; at <= to; at += MINUTE) {
    while (next < minutes.length && minutes[next]!.start < at) {
      const cell = minutes[next++]!;
      growing.minutes.push(cell);
      growing.lastSeen = (cell.start + MINUTE) * 1000;
      watch?.addMinute(cell);
    }
    watch?.passTo(at / MINUTE - 1);
    if (at % step !== 0) continue;
    yield { at, verdicts: judge(rule, growing, at, isOn, watch) };
  }
}

/** Long windows change slowly, and take long to add up. */
function stepOf(rule: Rule): number {
  return rule.kind === "objective" ? 10 * MINUTE : rule.kind === "change" ? 5 * MINUTE : MINUTE;
}

function judge(
  rule: Rule,
  cells: CallCells,
  at: number,
  isOn: (part: string) => boolean,
  watch: ErrorWatch | undefined,
): Verdict[] {
  switch (rule.kind) {
    case "threshold":
      return [judgeThreshold(rule, cells, at, isOn(""))];
    case "objective":
      return judgeObjective(rule, cells, at, isOn);
    case "change":
      return [judgeChange(rule, cells, undefined, at)];
    case "silence":
      return [judgeQuiet(cells, rule.after === undefined ? undefined : secondsOf(rule.after), 0, at)];
    case "attention":
      return watch ? [judgeWatch(watch, cells, at, isOn(""))] : [judgeQuiet(cells, undefined, 0, at)];
  }
}

function spread(hour: Cell): Cell[] {
  const slow =
    hour.slow && Object.fromEntries(Object.entries(hour.slow).map(([limit, n]) => [limit, n / 60]));
  return Array.from({ length: 60 }, (_, i) => ({
    start: hour.start + (i * HOUR) / 60,
    calls: hour.calls / 60,
    errors: hour.errors / 60,
    measured: hour.measured / 60,
    sumUs: hour.sumUs / 60,
    ...(slow ? { slow } : {}),
  }));
}
