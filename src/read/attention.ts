/**
 * Finds the functions that need attention, among all that were called in the last 28 days. Calls in the buffer count like
 * calls in D1. The rules are in stats/attention; this file reads the data for them.
 *
 * To read few rows, it reads the past of a function only if the function had failed calls in the last six hours or no call in
 * the last five minutes. It reads a past once and then keeps it up to date (see attention-memory).
 */
import {
  type CallHistory,
  compareVerdicts,
  judgeCalls,
  judgeDurations,
  type Kind,
  mayNeedAttention,
  type Prepared,
  prepareWatch,
  type Verdict,
} from "../stats/attention.ts";
import { lastQuarter, slownessLimits } from "../stats/attention-durations.ts";
import type { ErrorWatch } from "../stats/attention-errors.ts";
import type { Counts } from "../stats/attention-rates.ts";
import { learnPauses, type UsualPauses } from "../stats/attention-silence.ts";
import type { Delta } from "../stats/delta.ts";
import { compareSeriesIds, idOf, isSelected, type SeriesId, seriesKey } from "../stats/series-id.ts";
import type { Sums } from "../stats/sums.ts";
import { HOUR, MINUTE } from "../stats/tiers.ts";
import { callAllBuffers } from "../buffer/buffers.ts";
import { type DurationMemory, percentileOf, readPastDurations, type Timed } from "./attention-durations.ts";
import {
  HOURS_KEPT,
  isValid,
  type KnownFunction,
  type Memory,
  readPasts,
  refresh,
} from "./attention-memory.ts";
import { readStored, store, storedLimits } from "./attention-stored.ts";
import { BusyError } from "./errors.ts";
import type { ReadBindings } from "./series.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";

/** `lastSeen` is in epoch milliseconds. */
export type AttentionItem = Verdict & SeriesId & { lastSeen: number };
export type UnknownItem = SeriesId & { kind: Kind; reason: string };

export interface Attention {
  /** The most urgent first. */
  items: AttentionItem[];
  /** Functions that cannot be judged, in order of name. */
  unknown: UnknownItem[];
}

const ATTEMPTS = 10;

/** Cached in each isolate. The cache saves reads of D1 and changes no answer. */
let memory: Memory | undefined;
/** Of which time the cache in D1 is, as far as this isolate knows. Epoch milliseconds. */
let storedAt = 0;
let durations: DurationMemory = new Map();

/** Empties the cache, as in a new isolate. For tests. */
export function forgetAttention(): void {
  memory = undefined;
  storedAt = 0;
  durations = new Map();
}

/** `now` is in epoch milliseconds. @throws {BusyError | BindingFault} */
export async function readAttention(env: ReadBindings, now: number): Promise<Attention> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // There is one buffer. With a second one, the cache needs an epoch for each.
    const [snapshot] = await callAllBuffers(env, (buffer) => readSnapshot(buffer));
    if (!snapshot) continue;
    const known = await recall(env, snapshot, now);
    if (!known) continue;
    const functions = merge(known, snapshot, now);
    const needPast = functions.filter((one) => one.known && !one.known.hours && isSuspect(one, now));
    const pasts = needPast.map((one) => one.known!);
    if (pasts.length > 0 && !(await readPasts(env, known, snapshot, pasts, now))) {
      memory = undefined;
      continue;
    }
    await readPastDurations(env, durations, functions.filter(isTimed), now);
    if (known.readAt - storedAt >= storedLimits.everyMs && (await store(env, known))) storedAt = known.readAt;
    return judge(functions, now);
  }
  throw new BusyError();
}

/** The cache, refreshed if it is no longer valid. Undefined if D1 changed meanwhile: then start over. */
async function recall(env: ReadBindings, snapshot: Snapshot, now: number): Promise<Memory | undefined> {
  const old = memory;
  if (old && isValid(old, snapshot, now)) return old;
  if (old?.epoch !== snapshot.epoch) durations = new Map();
  const stored = old ? undefined : await readStored(env);
  if (stored) storedAt = stored.readAt;
  const refreshed = await refresh(env, snapshot, old ?? stored, now);
  memory = refreshed;
  return refreshed;
}

/** One function with its calls in D1 and in the buffer. */
interface Merged extends Timed {
  known: KnownFunction | undefined;
  id: SeriesId;
  firstSeen: number;
  lastSeen: number;
  lastSixHours: { calls: number; errors: number };
}

/** All functions with the buffered calls that D1 lacks, and without series whose deletion has not reached D1 yet. */
function merge(known: Memory, snapshot: Snapshot, now: number): Merged[] {
  const sealed = snapshot.sealed.filter(({ n }) => !known.includes(n));
  const deletions = sealed.flatMap(({ deletion }) => deletion ?? []);
  const deltas = Map.groupBy([...sealed.flatMap((flush) => flush.deltas), ...snapshot.pending], seriesKey);
  const stored = [...known.functions.values()].filter(
    (row) => !deletions.some((deletion) => isSelected(deletion, row)),
  );
  const all = stored.map((row) => {
    const own = deltas.get(seriesKey(row)) ?? [];
    deltas.delete(seriesKey(row));
    return mergeOne(row, own, now);
  });
  const isRecent = (own: Delta[]) => own.some(({ lastSeen }) => lastSeen >= now - HOURS_KEPT * 1000);
  const onlyBuffered = [...deltas.values()].filter(isRecent);
  return [...all, ...onlyBuffered.map((own) => mergeOne(undefined, own, now))];
}

function mergeOne(known: KnownFunction | undefined, deltas: readonly Delta[], now: number): Merged {
  const seen = known ? [known, ...deltas] : deltas;
  const minutes = [
    ...(known?.minutes.values() ?? []),
    ...deltas.map(({ minute, ...of }) => ({ ...of, start: minute })),
  ];
  const lastSixHours = sumSince(minutes, now / 1000 - 6 * HOUR);
  return {
    known,
    deltas,
    id: idOf(seen[0]!),
    firstSeen: Math.min(...seen.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...seen.map(({ lastSeen }) => lastSeen)),
    lastSixHours,
    quarters: quartersOf(known, deltas, now),
  };
}

/** The p95 of the last two quarters of an hour, latest first. */
function quartersOf(known: KnownFunction | undefined, deltas: readonly Delta[], now: number) {
  const { quarterSeconds } = slownessLimits;
  const last = lastQuarter(now / 1000);
  return [last, last - quarterSeconds].map((start) => {
    const parts: Sums[] = deltas.filter(({ minute }) => minute >= start && minute < start + quarterSeconds);
    for (let at = start; at < start + quarterSeconds; at += MINUTE) {
      const minute = known?.minutes.get(at);
      if (minute?.buckets) parts.push({ ...minute, buckets: minute.buckets });
    }
    return percentileOf(start, parts);
  });
}

function isSuspect({ lastSixHours, lastSeen }: Merged, now: number): boolean {
  return mayNeedAttention(lastSixHours, lastSeen, now);
}

/** Whether both quarters have enough measured calls to judge durations. */
function isTimed({ quarters }: Merged): boolean {
  return quarters.every(({ measured }) => measured >= slownessLimits.minMeasured);
}

function judge(functions: readonly Merged[], now: number): Attention {
  const items: AttentionItem[] = [];
  const unknown: UnknownItem[] = [];
  for (const one of functions) {
    const judgements = [];
    if (isSuspect(one, now)) {
      const { history, prepared } = prepare(one, now);
      judgements.push(judgeCalls(history, now, prepared));
    }
    if (isTimed(one)) {
      const past = one.known && durations.get(one.known.id);
      const history = { quarters: past?.quarters ?? one.quarters, hours: past?.hours ?? [] };
      judgements.push(judgeDurations(history, sumSince(countsOf(one), now / 1000 - HOUR)));
    }
    for (const judgement of judgements) {
      items.push(...judgement.verdicts.map((verdict) => ({ ...one.id, ...verdict, lastSeen: one.lastSeen })));
      unknown.push(...judgement.unknown.map((of) => ({ ...one.id, ...of })));
    }
  }
  return { items: items.sort(compareVerdicts), unknown: unknown.sort(compareSeriesIds) };
}

/**
 * Cached results from the calls in D1 alone. The key is the function's object in the cache, which is replaced once D1 has new
 * calls.
 */
const prepared = new WeakMap<
  KnownFunction,
  { history: CallHistory; watch: ErrorWatch; pauses: UsualPauses; until: number }
>();

/** Buffered calls are rarely older than this. If one is, the function is judged without cached results. */
const SETTLED = 15 * MINUTE;

/** The history of a function, with cached results that are valid for it. */
function prepare(one: Merged, now: number): { history: CallHistory; prepared?: Prepared } {
  const { known, deltas } = one;
  if (!known?.hours) return { history: historyOf(one) };
  let kept = prepared.get(known);
  if (!kept) {
    const history = historyOf({ ...one, deltas: [] });
    const until = now / 1000 - SETTLED;
    const pauses = learnPauses(history.minutes, history.hours);
    kept = { history, watch: prepareWatch(history, until), pauses, until };
    prepared.set(known, kept);
  }
  const { history, watch, pauses, until } = kept;
  if (deltas.length === 0)
    return { history: { ...history, lastSeen: one.lastSeen }, prepared: { watch, pauses } };
  const isSettled = deltas.every(({ minute }) => minute >= until);
  return { history: historyOf(one), prepared: isSettled ? { watch } : {} };
}

function historyOf(one: Merged): CallHistory {
  const { firstSeen, lastSeen, known } = one;
  const hours = [...(known?.hours?.values() ?? [])].sort((a, b) => a.start - b.start);
  return { firstSeen, lastSeen, minutes: countsOf(one), hours };
}

/** Calls and errors by minute, in order of time. */
function countsOf({ known, deltas }: Merged): Counts[] {
  const minutes = new Map<number, Counts>();
  for (const { start, calls, errors } of known?.minutes.values() ?? [])
    minutes.set(start, { start, calls, errors });
  for (const { minute, calls, errors } of deltas) {
    const own = minutes.get(minute) ?? { start: minute, calls: 0, errors: 0 };
    minutes.set(minute, { start: minute, calls: own.calls + calls, errors: own.errors + errors });
  }
  return [...minutes.values()].filter(({ calls }) => calls > 0).sort((a, b) => a.start - b.start);
}

function sumSince(minutes: Iterable<Counts>, start: number): { calls: number; errors: number } {
  const sum = { calls: 0, errors: 0 };
  for (const minute of minutes) {
    if (minute.start <= start) continue;
    sum.calls += minute.calls;
    sum.errors += minute.errors;
  }
  return sum;
}
