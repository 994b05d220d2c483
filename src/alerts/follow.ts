/**
 * Reads what the rules need and lacks, and brings it into the form in which functions are judged. Each minute it reads the
 * totals of every function and its last ten minutes. The past of a function is read once, when a rule first needs it.
 */
import { judgeSlowness, lastQuarter } from "../stats/attention-durations.ts";
import type { Cell } from "../stats/call-cells.ts";
import { type SeriesId, seriesKey } from "../stats/series-id.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { PAST_SECONDS, readPastCalls, readPastHistograms } from "../read/past-calls.ts";
import { readQuarters } from "../read/quarters.ts";
import { readRecentCalls } from "../read/recent-calls.ts";
import type { DurationRow } from "../store/read-attention.ts";
import { type Alert, alertKey, WHOLE } from "./alert.ts";
import { addDurations, limitsFor, limitsOfRule } from "./durations.ts";
import type { Judged } from "./evaluate.ts";
import type { SlowerNow } from "./judge/change.ts";
import type { NamedRule } from "./rule.ts";
import { matchesSelector } from "./selector.ts";
import { type CallStore, type Followed, recentSince } from "./storage/call-store.ts";

/** Calls may arrive this late without being read again as a whole. Clients report every 30 s, and try again. */
const SETTLED_AFTER = 10 * MINUTE;
/** Functions whose past is read at one evaluation. Each has up to 3,600 rows in D1. */
const PASTS_AT_ONCE = 20;
/** As above, if histograms are read too: each has some 2 MB of them. */
const HISTOGRAM_PASTS_AT_ONCE = 3;
const LATE_AT_ONCE = 100;
/** Durations of a quarter are read once its last calls have arrived. */
const QUARTER_SETTLED = 2 * MINUTE;
/** No histogram is read. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** The durations of the last quarter that was read. */
export interface SlowerOfQuarter {
  /** Epoch seconds. */
  quarter: number;
  /** By `seriesKey`. Functions that are not slower are left out. */
  functions: Record<string, SlowerNow>;
}

export interface Followings {
  /** From when on minutes were read, and until when they are settled, in epoch seconds. */
  from: number;
  settledUntil: number;
  /** Undefined if no rule needs durations. */
  slower: SlowerOfQuarter | undefined;
}

/**
 * Brings the store up to date. `now` is a whole minute, in epoch seconds.
 *
 * @throws {BusyError | BindingFault}
 */
export async function follow(
  env: Pick<Env, "BUFFER" | "DB">,
  calls: CallStore,
  rules: readonly NamedRule[],
  alerts: ReadonlyMap<string, Alert>,
  slower: SlowerOfQuarter | undefined,
  now: number,
): Promise<Followings> {
  const limitsOf = (id: SeriesId) => limitsFor(rules, id);
  const seenSince = (now - PAST_SECONDS) * 1000;
  let from = calls.readFrom(now);
  const needsDurations = rules.some((rule) => rule.enabled && limitsOfRule(rule) !== undefined);
  const histograms = needsDurations ? from : NEVER;
  const recent = await readRecentCalls(env, { seenSince, start: from, histograms });
  const late = calls.take(recent, from, limitsOf);
  const settledUntil = Math.max(from, now - SETTLED_AFTER);
  const some = late.slice(0, LATE_AT_ONCE);
  if (some.length > 0) {
    const keys = new Set(some.map(seriesKey));
    const ids = some.flatMap(({ id }) => id ?? []);
    const start = recentSince(now);
    const again = await readRecentCalls(env, {
      seenSince,
      start,
      histograms: needsDurations ? start : NEVER,
      ids,
    });
    calls.retake(
      again.filter((series) => keys.has(seriesKey(series))),
      start,
      limitsOf,
    );
    from = start;
  }
  await addPasts(env, calls, rules, alerts, now);
  return { from, settledUntil, slower: await readSlower(env, rules, slower, seenSince, now) };
}

/** The functions as they were known at `now`, in epoch seconds. */
export function judgedAt(calls: CallStore, slower: SlowerOfQuarter | undefined, now: number): Judged[] {
  const isFresh = slower !== undefined && now - slower.quarter < HOUR;
  return calls.all().map((one) => ({
    service: one.service,
    module: one.module,
    function: one.function,
    cells: calls.cellsOf(one, now),
    knownSince: Math.max(one.knownSince, ...Object.values(one.limits)),
    slower: isFresh ? (slower.functions[seriesKey(one)] ?? "no") : undefined,
  }));
}

/** Reads pasts that rules need: from storage, or from D1 if storage never had them. */
async function addPasts(
  env: Pick<Env, "BUFFER" | "DB">,
  calls: CallStore,
  rules: readonly NamedRule[],
  alerts: ReadonlyMap<string, Alert>,
  now: number,
): Promise<void> {
  const needing = calls.all().filter((one) => needsPast(one, rules, alerts, now));
  const lacking = needing.filter((one) => one.id !== null && lacksPast(one, limitsFor(rules, one)));
  const isWithLimits = (one: Followed) => Object.values(one.limits).some((since) => since > 0);
  const some = [
    ...lacking.filter(isWithLimits).slice(0, HISTOGRAM_PASTS_AT_ONCE),
    ...lacking.filter((one) => !isWithLimits(one)),
  ].slice(0, PASTS_AT_ONCE);
  if (some.length > 0) {
    const ids = some.map(({ id }) => id!);
    const pasts = new Map((await readPastCalls(env, ids, now)).map((past) => [past.id, past]));
    const limited = some.filter(isWithLimits).map(({ id }) => id!);
    const histograms =
      limited.length > 0 ? await readPastHistograms(env, limited, recentSince(now), now) : new Map();
    calls.addPast(
      some.map((one) => {
        const past = pasts.get(one.id!);
        const limits = Object.keys(one.limits).map(Number);
        const rows = histograms.get(one.id!) as { minutes: DurationRow[]; hours: DurationRow[] } | undefined;
        const minutes = (past?.minutes ?? []).map(plain);
        const hours = (past?.hours ?? []).map(plain);
        if (rows) addDurations(minutes, hours, rows, limits, recentSince(now));
        return { one, minutes, hours, limits: rows ? limits : [] };
      }),
      now,
    );
  }
  calls.loadOlder(needing);
}

function plain({ start, calls, errors }: { start: number; calls: number; errors: number }): Cell {
  return { start, calls, errors, measured: 0, sumUs: 0 };
}

function lacksPast(one: Followed, limits: readonly number[] | undefined): boolean {
  return one.knownSince > 0 || (limits ?? []).some((limit) => (one.limits[limit] ?? 0) > 0);
}

/** Whether a rule looks further back than the last hours, which memory holds of every function. */
function needsPast(
  one: Followed,
  rules: readonly NamedRule[],
  alerts: ReadonlyMap<string, Alert>,
  now: number,
): boolean {
  return rules.some((rule) => {
    if (!rule.enabled || !matchesSelector(rule.selector, one)) return false;
    const isQuiet = now - one.lastSeen / 1000 > 5 * MINUTE;
    const hasAlert = () =>
      alerts.has(alertKey(rule.id, "", one)) ||
      alerts.has(alertKey(rule.id, "", { ...one, module: WHOLE, function: WHOLE }));
    switch (rule.kind) {
      case "objective":
        return true;
      case "threshold":
        return longWindow(rule.window);
      case "change":
        return rule.figure === "errorRate";
      case "silence":
        return rule.after === undefined && (isQuiet || hasAlert());
      case "attention":
        if (rule.judges === "slower") return false;
        if (rule.judges === "silent") return isQuiet || hasAlert();
        return hasAlert() || hasErrors(one, now);
    }
  });
}

function hasErrors({ minutes }: Followed, now: number): boolean {
  for (const { start, errors } of minutes.values()) if (errors > 0 && start >= now - DAY) return true;
  return false;
}

function longWindow(window: string): boolean {
  return (
    /[dw]$/.test(window) || (window.endsWith("h") && Number.parseInt(window, 10) > 5) || /\d{4,}/.test(window)
  );
}

/** Judges durations once in each quarter of an hour. */
async function readSlower(
  env: Pick<Env, "BUFFER" | "DB">,
  rules: readonly NamedRule[],
  before: SlowerOfQuarter | undefined,
  seenSince: number,
  now: number,
): Promise<SlowerOfQuarter | undefined> {
  const isNeeded = rules.some(
    (rule) =>
      rule.enabled &&
      ((rule.kind === "attention" && rule.judges === "slower") ||
        (rule.kind === "change" && rule.figure === "p95Ms")),
  );
  if (!isNeeded) return undefined;
  const quarter = lastQuarter(now - QUARTER_SETTLED);
  if (before?.quarter === quarter) return before;
  const functions: Record<string, SlowerNow> = {};
  for (const [key, { quarters, hours }] of await readQuarters(env, seenSince, now - QUARTER_SETTLED)) {
    const judged = judgeSlowness(quarters, hours);
    if (judged === "unknown") functions[key] = judged;
    else if (judged) functions[key] = { p95Ms: judged.p95Ms, usualP95Ms: judged.usualP95Ms };
  }
  return { quarter, functions };
}
