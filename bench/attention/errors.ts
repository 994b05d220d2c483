/** Simulates failing functions: false flags a month, and how soon a fault is told. */
import { watchOf } from "../../src/stats/attention.ts";
import { ErrorWatch } from "../../src/stats/attention-errors.ts";
import type { Counts } from "../../src/stats/attention-rates.ts";
import { type Fault, type FunctionKind, type Minute, simulate } from "./functions.ts";
import { pageLevels, ruleC, type Watch } from "./levels.ts";
import { generator } from "./random.ts";

const DAY = 1440;
export const LEARNED = 28 * DAY;
export const MONTH = 30 * DAY;
/** The simulation starts on a Thursday at midnight, so that hours of day are those of the clock. */
export const EPOCH_MINUTE = 29_000 * DAY;

export const RULES = { page: pageLevels, "rule C": ruleC, ours } as const;
export type Rule = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as Rule[];

/** The real thing, fed minute by minute. Failing as usual is not a flag. */
function ours(): Watch & { watch: ErrorWatch } {
  const watch = new ErrorWatch();
  let minute = EPOCH_MINUTE;
  return {
    watch,
    add: ({ calls, errors }) => {
      watch.addMinute({ start: minute++ * 60, calls, errors });
      return watch.failing(EPOCH_MINUTE * 60_000)?.isNew === true;
    },
  };
}

/** How often each rule begins to flag in a month without a fault, on average. */
export function falseFlags(kind: FunctionKind, seeds: readonly number[]): Record<Rule, number> {
  const flags = { page: 0, "rule C": 0, ours: 0 };
  for (const seed of seeds) {
    const next = simulate(kind, seed);
    const watches = RULE_NAMES.map((rule) => ({ rule, watch: RULES[rule](), was: false }));
    for (let minute = 0; minute < LEARNED + MONTH; minute++) {
      const counts = next(minute);
      for (const one of watches) {
        const is = one.watch.add(counts);
        if (is && !one.was && minute >= LEARNED) flags[one.rule]++;
        one.was = is;
      }
    }
  }
  for (const rule of RULE_NAMES) flags[rule] /= seeds.length;
  return flags;
}

export interface Detection {
  /** The share of faults that were told while they lasted. */
  found: number;
  /** Median minutes from the first failed call, over those that were found. */
  minutes: number;
}

/** Faults in the order in which they happen, mild ones first: rule C does not see a fault that is milder than the one before. */
export const FAULTS = [0.05, 0.3, 1] as const;

/** How soon each rule tells of each fault. A fault lasts `hours`, and begins at a random time of day. */
export function detection(
  kind: FunctionKind,
  seeds: readonly number[],
  hours: number,
): Record<Rule, Detection[]> {
  const delays: Record<Rule, number[][]> = {
    page: FAULTS.map(() => []),
    "rule C": FAULTS.map(() => []),
    ours: FAULTS.map(() => []),
  };
  for (const seed of seeds) {
    const faults = FAULTS.map((failing, i): Fault => {
      const from = LEARNED + 2 * i * DAY + beginOf(seed + i, kind);
      return { from, to: from + hours * 60, failing };
    });
    const next = simulate(kind, seed, faults);
    const watches = RULE_NAMES.map((rule) => ({ rule, watch: RULES[rule](), done: -1 }));
    let firstFailed: number | undefined;
    for (let minute = 0; minute < faults.at(-1)!.to; minute++) {
      const counts = next(minute);
      const at = faults.findIndex(({ from, to }) => minute >= from && minute < to);
      if (at < 0) firstFailed = undefined;
      else if (counts.errors > 0) firstFailed ??= minute;
      for (const one of watches) {
        const is = one.watch.add(counts);
        if (!is || firstFailed === undefined || one.done === at) continue;
        one.done = at;
        delays[one.rule][at]!.push(minute - firstFailed + 1);
      }
    }
  }
  const summed = RULE_NAMES.map((rule) => [rule, delays[rule].map((of) => detectionOf(of, seeds.length))]);
  return Object.fromEntries(summed) as Record<Rule, Detection[]>;
}

export function detectionOf(delays: readonly number[], faults: number): Detection {
  const sorted = delays.toSorted((a, b) => a - b);
  return { found: sorted.length / faults, minutes: sorted[sorted.length >> 1] ?? Infinity };
}

/** A minute of the first day after the learned ones, between 8:00 and 20:00. */
export function beginOf(seed: number, kind: FunctionKind): number {
  return 8 * 60 + Math.floor(generator(seed + kind.length)() * 12 * 60);
}

/**
 * Compares the state that was fed for a month with one that is made anew from what the store keeps: minutes for 48
 * hours, hours before. Gives the share of moments at which both say the same.
 */
export function agreement(kind: FunctionKind, seeds: readonly number[]): number {
  let [same, all] = [0, 0];
  for (const seed of seeds) {
    const from = LEARNED + beginOf(seed, kind);
    const next = simulate(kind, seed, [{ from, to: from + 120, failing: 0.3 }]);
    const fed = ours();
    const minutes: (Minute & Counts)[] = [];
    for (let minute = 0; minute < LEARNED + 2 * DAY; minute++) {
      const counts = next(minute);
      const says = fed.add(counts);
      minutes.push({ start: (EPOCH_MINUTE + minute) * 60, ...counts });
      if (minute < from - 60 || minute > from + 240 || minute % 20 !== 0) continue;
      const now = (EPOCH_MINUTE + minute) * 60_000;
      const anew = watchOf(asStored(minutes, minute), now).failing(EPOCH_MINUTE * 60_000);
      all++;
      if (says === (anew?.isNew === true)) same++;
    }
  }
  return same / all;
}

/** The minutes of the last 48 hours, and the hours before them. */
export function asStored(
  all: readonly Counts[],
  minute: number,
): { minutes: Counts[]; hours: Counts[]; firstSeen: number; lastSeen: number } {
  const cut = Math.max(0, Math.floor((minute - 48 * 60) / 60) * 60);
  const hours = new Map<number, Counts>();
  for (const { start, calls, errors } of all.slice(Math.max(0, cut - LEARNED), cut)) {
    if (calls === 0) continue;
    const hour = Math.floor(start / 3600) * 3600;
    const sum = hours.get(hour) ?? { start: hour, calls: 0, errors: 0 };
    hours.set(hour, { start: hour, calls: sum.calls + calls, errors: sum.errors + errors });
  }
  const minutes = all.slice(cut, minute + 1).filter(({ calls }) => calls > 0);
  const last = minutes.at(-1) ?? [...hours.values()].at(-1);
  return {
    minutes,
    hours: [...hours.values()],
    firstSeen: EPOCH_MINUTE * 60_000,
    lastSeen: (last?.start ?? 0) * 1000,
  };
}
