/**
 * Decides what needs attention: functions that fail, are silent, or are slower. Each function is judged against its own
 * past only, so the answer does not depend on a range or on other functions. Pure: the same history gives the same
 * answer to every reader.
 *
 * The three rules are in attention-errors, attention-silence and attention-durations. `npm run bench:attention` measures how
 * often they are wrong. To take a deploy into account,
 * the caller cuts the history at the deploy.
 */
import { judgeSlowness, type Percentile } from "./attention-durations.ts";
import { errorLimits } from "./attention-error-limits.ts";
import { ErrorWatch, type Failing } from "./attention-errors.ts";
import type { Counts } from "./attention-rates.ts";
import { judgeSilence, learnPauses, type UsualPauses } from "./attention-silence.ts";
import { compareSeriesIds, type SeriesId } from "./series-id.ts";
import { HOUR, MINUTE } from "./tiers.ts";

export const KINDS = ["failing", "silent", "slower"] as const;
export type Kind = (typeof KINDS)[number];

/** What is known of one function's calls. */
export interface CallHistory {
  /** Epoch milliseconds. */
  firstSeen: number;
  lastSeen: number;
  /** The last 48 hours, in order of time. Minutes without calls have no entry. */
  minutes: readonly Counts[];
  /** The hours before the first minute, up to 28 days back, in order of time. Those without calls have no entry. */
  hours: readonly Counts[];
}

export interface DurationHistory {
  /** See `judgeSlowness`. */
  quarters: readonly Percentile[];
  hours: readonly Percentile[];
}

/** One reason why a function needs attention. */
export interface Verdict {
  kind: Kind;
  /** Epoch seconds. Null if it began before the history that is known. */
  since: number | null;
  /** False if it has lasted so long that it is the function's usual state. */
  isNew: boolean;
  /** Over the last hour, or over the last six hours if the last hour has no calls. 0 for a silent function. */
  calls: number;
  errors: number;
  usualErrorRate: number | null;
  p95Ms: number | null;
  usualP95Ms: number | null;
  usualGapSeconds: number | null;
  /** For the order within a kind: larger is worse. */
  weight: number;
}

/** A kind that cannot be judged, because too little is known. */
export interface Unknown {
  kind: Kind;
  reason: string;
}

export interface Judgement {
  verdicts: Verdict[];
  unknown: Unknown[];
}

/**
 * Whether a function may fail or be silent. If not, `judgeCalls` gives nothing, and the function's past need not be
 * read.
 */
export function mayNeedAttention(lastSixHours: { errors: number }, lastSeen: number, now: number): boolean {
  return lastSixHours.errors > 0 || now - lastSeen > 5 * MINUTE * 1000;
}

/** Results that can be kept from one judgement of a function to the next. They save time and do not change the judgement. */
export interface Prepared {
  pauses?: UsualPauses;
  /** A watch that has added the history's hours and some of its first minutes, and nothing else. */
  watch?: ErrorWatch;
}

/** Judges calls and errors. `now` is in epoch milliseconds. */
export function judgeCalls(history: CallHistory, now: number, prepared: Prepared = {}): Judgement {
  const judgement: Judgement = { verdicts: [], unknown: [] };
  if (mayFail(history, now)) addErrors(judgement, history, now, prepared.watch);
  addSilence(judgement, history, now, prepared.pauses ?? learnPauses(history.minutes, history.hours));
  return judgement;
}

/**
 * Whether the function can be failing, found without the slower `watchOf`: a failure ends after six hours without errors, or
 * after a day without calls.
 */
function mayFail({ minutes, lastSeen }: CallHistory, now: number): boolean {
  if (now - lastSeen > (errorLimits.keptUncalledSeconds + 2 * MINUTE) * 1000) return false;
  const start = lastSeen / 1000 - 6 * HOUR - MINUTE;
  return minutes.some((minute) => minute.errors > 0 && minute.start >= start);
}

function addErrors(
  judgement: Judgement,
  history: CallHistory,
  now: number,
  prepared: ErrorWatch | undefined,
): void {
  const watch = watchOf(history, now, prepared);
  const failing = watch.failing(history.firstSeen);
  if (failing) judgement.verdicts.push(verdictOfErrors(failing));
  else if (!watch.hasPast && hasErrors(history, now)) {
    const reason = `Some calls failed lately. Before them, it had fewer than ${errorLimits.minPastCalls} calls to compare with.`;
    judgement.unknown.push({ kind: "failing", reason });
  }
}

/** Judges durations. `calls` are those of the last hour. */
export function judgeDurations(
  history: DurationHistory,
  calls: { calls: number; errors: number },
): Judgement {
  const slower = judgeSlowness(history.quarters, history.hours);
  if (slower === "unknown") {
    const reason = "Too few hours of earlier days are known to compare its durations with.";
    return { verdicts: [], unknown: [{ kind: "slower", reason }] };
  }
  if (!slower) return { verdicts: [], unknown: [] };
  const { since, p95Ms, usualP95Ms } = slower;
  const weight = (calls.calls * (p95Ms - usualP95Ms)) / 1000;
  return {
    verdicts: [{ ...NOTHING, ...calls, kind: "slower", since, isNew: true, p95Ms, usualP95Ms, weight }],
    unknown: [],
  };
}

/** For `sort`: the most urgent first. New before usual, then by kind, then the worst first. */
export function compareVerdicts(a: Verdict & SeriesId, b: Verdict & SeriesId): number {
  return (
    Number(b.isNew) - Number(a.isNew) ||
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
    b.weight - a.weight ||
    compareSeriesIds(a, b)
  );
}

/** Returns a watch with the whole history, at the time `now` (epoch milliseconds). Does not change `prepared`. */
export function watchOf(history: CallHistory, now: number, prepared?: ErrorWatch): ErrorWatch {
  const watch = prepared ? prepared.clone() : prepareWatch(history, 0);
  for (const minute of history.minutes) if (minute.start >= watch.addedUntil) watch.addMinute(minute);
  watch.passTo(Math.floor(now / 1000 / MINUTE));
  return watch;
}

/** Returns a watch with the hours of a history, and its minutes before `until` (epoch seconds). */
export function prepareWatch({ minutes, hours }: CallHistory, until: number): ErrorWatch {
  const watch = new ErrorWatch();
  for (const hour of hours) watch.addHour(hour);
  for (const minute of minutes) if (minute.start < until) watch.addMinute(minute);
  return watch;
}

const NOTHING = { usualErrorRate: null, p95Ms: null, usualP95Ms: null, usualGapSeconds: null } as const;

function verdictOfErrors({ since, isNew, calls, errors, usualShare }: Failing): Verdict {
  // Failed calls beyond the usual number, so that a busy function comes before one that is rarely called.
  const weight = isNew ? errors - calls * (usualShare ?? 0) : errors;
  return { ...NOTHING, kind: "failing", since, isNew, calls, errors, usualErrorRate: usualShare, weight };
}

function hasErrors({ minutes }: CallHistory, now: number): boolean {
  return minutes.some(({ start, errors }) => errors > 0 && start > now / 1000 - 6 * HOUR);
}

function addSilence(judgement: Judgement, history: CallHistory, now: number, pauses: UsualPauses): void {
  const { firstSeen, lastSeen } = history;
  const silent = judgeSilence(pauses, firstSeen, lastSeen, now);
  if (silent === "unknown") {
    const reason =
      "It has been called for less than two days, or hardly ever, so its usual pauses are not known.";
    judgement.unknown.push({ kind: "silent", reason });
  } else if (silent) {
    const { since, isNew, usualGapSeconds } = silent;
    const weight = (now / 1000 - since) / Math.max(MINUTE, usualGapSeconds);
    const verdict = {
      ...NOTHING,
      kind: "silent",
      since,
      isNew,
      calls: 0,
      errors: 0,
      usualGapSeconds,
      weight,
    } as const;
    judgement.verdicts.push(verdict);
  }
}
