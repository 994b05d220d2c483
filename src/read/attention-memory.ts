/**
 * A cache of the calls that `GET /attention` read from D1, so that the next request reads only what is new. Each isolate
 * has its own. It holds calls from D1 only. Every request adds the calls that the buffer holds and the cache lacks.
 *
 * The cache is valid as long as it holds each sealed flush that has left the buffer. Once a flush has left the buffer and
 * is not in the cache, the cache is refreshed: each function's totals and latest minutes are read again. If a function's
 * totals equal its older calls plus its latest minutes, its older calls are unchanged. If not, late calls have arrived, and
 * the function is read again as a whole. The cache is also refreshed after five minutes and in each new hour.
 *
 * A new isolate starts from the cache that another one has stored (see attention-stored).
 */
import { callBinding } from "../call-binding.ts";
import type { Counts } from "../stats/attention-rates.ts";
import { floorTo } from "../stats/interval.ts";
import { sameSeries, type SeriesId } from "../stats/series-id.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import {
  type DurationRow,
  type PastCalls,
  pastCalls,
  recentCalls,
  type RecentCalls,
} from "../store/read-attention.ts";
import { type Query, readWithLedger, type Rows } from "../store/read-with-ledger.ts";
import type { Snapshot } from "./snapshot.ts";

/** One function with its calls in D1. */
export interface KnownFunction extends SeriesId {
  id: number;
  calls: number;
  errors: number;
  firstSeen: number;
  lastSeen: number;
  /** By start. Covers the last 48 hours if `hours` is set, else the last six. */
  minutes: Map<number, DurationRow>;
  /** By start. The hours before those in `minutes`, up to 28 days back. Undefined until they are needed. */
  hours?: Map<number, Counts>;
  /** Calls before those in `minutes`, since the beginning. */
  earlier: { calls: number; errors: number };
}

/** What a refresh starts from: the cache of an earlier time. */
export interface EarlierMemory {
  epoch: string;
  /** Epoch milliseconds. */
  readAt: number;
  /** By id. */
  functions: ReadonlyMap<number, KnownFunction>;
}

export interface Memory extends EarlierMemory {
  /** The lowest flush id that `includes` can be asked about. */
  lowest: number;
  /** Whether the functions include a flush. */
  includes: (n: number) => boolean;
  functions: Map<number, KnownFunction>;
}

/** An earlier cache that is older than this saves too little. In seconds. */
const USEFUL = DAY;
const MAX_AGE_MS = 5 * MINUTE * 1000;
const RECENT = 6 * HOUR;
/** How far back histograms are read: the last two whole quarters of an hour, and the current one. */
export const HISTOGRAMS = 45 * MINUTE;
/**
 * A refresh starts this long before the last read. Calls wait in clients and in the buffer, so a later flush can add calls
 * to minutes that were read already.
 */
export const OVERLAP = 10 * MINUTE;
const MINUTES_KEPT = 48 * HOUR;
export const HOURS_KEPT = 28 * DAY;
/** Functions in one statement. Together they have up to some 70,000 rows of three numbers. */
const PASTS_PER_READ = 20;

type Database = Pick<Env, "DB">;

/** Whether the cache is recent, and holds every acknowledged call together with the snapshot. */
export function isValid(memory: Memory, snapshot: Snapshot, now: number): boolean {
  const isOld = now - memory.readAt > MAX_AGE_MS || hourOf(now) !== hourOf(memory.readAt);
  if (memory.epoch !== snapshot.epoch || isOld) return false;
  const sealed = new Set(snapshot.sealed.map(({ n }) => n));
  for (let n = memory.lowest; n < snapshot.next; n++) if (!memory.includes(n) && !sealed.has(n)) return false;
  return true;
}

/** Minutes become hours at whole hours, so that every isolate judges the same history. */
function hourOf(epochMs: number): number {
  return Math.floor(epochMs / 1000 / HOUR);
}

/** Reads from D1 what the earlier cache lacks. Undefined if D1 changed meanwhile: then start over with a new snapshot. */
export async function refresh(
  env: Database,
  snapshot: Snapshot,
  old: EarlierMemory | undefined,
  now: number,
): Promise<Memory | undefined> {
  const seconds = now / 1000;
  const isUseful = old?.epoch === snapshot.epoch && seconds - old.readAt / 1000 < USEFUL;
  const before = isUseful ? old : undefined;
  const whole = floorTo(seconds - RECENT, HOUR);
  const start = before ? floorTo(before.readAt / 1000 - OVERLAP, MINUTE) : whole;
  const seenSince = now - HOURS_KEPT * 1000;
  const histograms = seconds - HISTOGRAMS;
  const memory = await read(env, snapshot, now, [recentCalls(seenSince, start, histograms)]);
  if (!memory) return undefined;
  const stale: number[] = [];
  for (const row of memory.rows[0]) {
    const known = knownAs(row, before);
    if (known && hourOf(before!.readAt) === hourOf(now) && isSame(known, row)) {
      memory.functions.set(row.id, known);
      continue;
    }
    const updated = updatedBy(known, row, start);
    memory.functions.set(row.id, updated);
    const isWhole = known ? addsUp(updated) : start <= whole || row.firstSeen / 1000 >= start;
    if (!isWhole) stale.push(row.id);
    forgetOld(updated, seconds);
  }
  if (stale.length > 0) {
    const query = recentCalls(seenSince, whole, histograms, stale);
    const rows = await readAgain(env, memory, snapshot, [query]);
    if (!rows) return undefined;
    for (const row of rows[0]) memory.functions.set(row.id, updatedBy(undefined, row, whole));
  }
  return memory;
}

/** Reads 28 days of the given functions and adds them to these. False if D1 changed meanwhile: then start over. */
export async function readPasts(
  env: Database,
  memory: Memory,
  snapshot: Snapshot,
  functions: readonly KnownFunction[],
  now: number,
): Promise<boolean> {
  const cut = floorTo(now / 1000 - MINUTES_KEPT, HOUR);
  for (let i = 0; i < functions.length; i += PASTS_PER_READ) {
    const some = functions.slice(i, i + PASTS_PER_READ);
    const query = pastCalls(
      some.map(({ id }) => id),
      floorTo(now / 1000 - HOURS_KEPT, HOUR),
    );
    const rows = await readAgain(env, memory, snapshot, [query]);
    if (!rows) return false;
    const byId = new Map(rows[0].map((row) => [row.id, row]));
    for (const known of some) addPast(known, byId.get(known.id), cut);
  }
  return true;
}

async function read<const Queries extends readonly Query[]>(
  env: Database,
  snapshot: Snapshot,
  now: number,
  queries: Queries,
): Promise<(Memory & { rows: Rows<Queries> }) | undefined> {
  const { epoch, next } = snapshot;
  const lowest = snapshot.sealed[0]?.n ?? next;
  const { rows, ledger } = await callBinding("D1", () =>
    readWithLedger(env.DB, [{ epoch, fromN: lowest }], queries),
  );
  const { includes, highest } = ledger[0]!;
  // If so, pending deltas of the snapshot were sealed and have reached D1. Adding them would count their calls twice.
  if (highest >= next) return undefined;
  return { epoch, lowest, includes, readAt: now, functions: new Map(), rows };
}

/** Runs more queries for the same cache. Undefined if D1 has applied a flush since: the results would not fit it. */
async function readAgain<const Queries extends readonly Query[]>(
  env: Database,
  memory: Memory,
  snapshot: Snapshot,
  queries: Queries,
): Promise<Rows<Queries> | undefined> {
  const { epoch, lowest } = memory;
  const { rows, ledger } = await callBinding("D1", () =>
    readWithLedger(env.DB, [{ epoch, fromN: lowest }], queries),
  );
  const { includes, highest } = ledger[0]!;
  if (highest >= snapshot.next) return undefined;
  for (let n = lowest; n < snapshot.next; n++) if (includes(n) !== memory.includes(n)) return undefined;
  return rows;
}

/** The function in the earlier cache. Ids of deleted functions can be used again, so its names are compared too. */
function knownAs(row: RecentCalls, before: EarlierMemory | undefined): KnownFunction | undefined {
  const known = before?.functions.get(row.id);
  return known && sameSeries(known, row) && known.firstSeen === row.firstSeen ? known : undefined;
}

/** The function with the totals of `row`, and with its minutes from `start` on replaced by those of `row`. */
function updatedBy(known: KnownFunction | undefined, row: RecentCalls, start: number): KnownFunction {
  const minutes = new Map(known?.minutes);
  for (const at of minutes.keys()) if (at >= start) minutes.delete(at);
  for (const minute of row.minutes) minutes.set(minute.start, minute);
  const updated: KnownFunction = { ...row, minutes, earlier: known?.earlier ?? { calls: 0, errors: 0 } };
  if (known?.hours) updated.hours = known.hours;
  if (!known) {
    const sum = sumOf(minutes.values());
    updated.earlier = { calls: row.calls - sum.calls, errors: row.errors - sum.errors };
  }
  return updated;
}

/** Whether D1 has no new calls of the function. Its object then stays, and with it the results cached for the object. */
function isSame(known: KnownFunction, { calls, errors, lastSeen }: RecentCalls): boolean {
  return known.calls === calls && known.errors === errors && known.lastSeen === lastSeen;
}

/** Whether minutes and earlier calls add up to the totals. If not, late calls have arrived. */
function addsUp({ calls, errors, minutes, earlier }: KnownFunction): boolean {
  const sum = sumOf(minutes.values());
  return earlier.calls + sum.calls === calls && earlier.errors + sum.errors === errors;
}

/**
 * Drops minutes, hours and histograms that are no longer needed. If the hours are known, old minutes become hours, as in D1.
 * Changes no map of the previous cache, because another request may be reading it.
 */
function forgetOld(known: KnownFunction, seconds: number): void {
  const cut = floorTo(seconds - (known.hours ? MINUTES_KEPT : RECENT), HOUR);
  const old = [...known.minutes.values()].filter(({ start }) => start < cut);
  if (old.length > 0) {
    const sum = sumOf([...old, { start: 0, ...known.earlier }]);
    known.earlier = sum;
    for (const { start } of old) known.minutes.delete(start);
  }
  const oldest = floorTo(seconds - HOURS_KEPT, HOUR);
  if (known.hours && (old.length > 0 || Math.min(...known.hours.keys()) < oldest)) {
    known.hours = new Map([...known.hours].filter(([start]) => start >= oldest));
    for (const minute of old) addTo(known.hours, minute);
  }
  for (const [start, minute] of known.minutes) {
    if (minute.buckets && start < seconds - HISTOGRAMS - MINUTE) {
      known.minutes.set(start, { ...minute, buckets: null });
    }
  }
}

/** Adds the past to `known`: as hours before `cut` (epoch seconds), and as minutes from `cut` on. */
function addPast(known: KnownFunction, past: PastCalls | undefined, cut: number): void {
  const hours = new Map<number, Counts>();
  for (const [start, calls, errors] of past?.hours ?? []) {
    // Later hours are known by their minutes.
    if (start < cut) addTo(hours, { start, calls, errors });
  }
  // A closed hour has a row of its own, which includes its minutes while they are still there.
  const closed = new Set(hours.keys());
  for (const [start, calls, errors] of past?.minutes ?? []) {
    if (start < cut) {
      if (!closed.has(floorTo(start, HOUR))) addTo(hours, { start, calls, errors });
    } else if (!known.minutes.has(start)) {
      known.minutes.set(start, withoutDurations({ start, calls, errors }));
    }
  }
  known.hours = hours;
  const sum = sumOf(known.minutes.values());
  known.earlier = { calls: known.calls - sum.calls, errors: known.errors - sum.errors };
}

export function withoutDurations(counts: Counts): DurationRow {
  return { ...counts, unmeasured: 0, sumUs: 0, minMs: null, maxMs: null, buckets: null };
}

function addTo(hours: Map<number, Counts>, { start, calls, errors }: Counts): void {
  const hour = floorTo(start, HOUR);
  const known = hours.get(hour) ?? { start: hour, calls: 0, errors: 0 };
  hours.set(hour, { start: hour, calls: known.calls + calls, errors: known.errors + errors });
}

function sumOf(parts: Iterable<Counts>): { calls: number; errors: number } {
  const sum = { calls: 0, errors: 0 };
  for (const { calls, errors } of parts) {
    sum.calls += calls;
    sum.errors += errors;
  }
  return sum;
}
