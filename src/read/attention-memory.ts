/**
 * What this isolate remembers of functions' calls between two reads of `GET /attention`, so that D1 is asked only for
 * what is new. It holds no more than D1 does: a read adds what the buffer holds and D1 did not.
 *
 * It is valid exactly as long as each flush below the buffer's next one is either in what D1 answered or still in the
 * buffer's snapshot. When a flush has left the snapshot, D1 is asked for each function's totals and for its latest
 * minutes. A function's older numbers stay valid if its totals are what they and the latest minutes add up to; if not,
 * calls came late, and the function is read again. After five minutes, and in each new hour, D1 is asked in any case.
 */
import { callBinding } from "../call-binding.ts";
import type { Counts } from "../stats/attention-rates.ts";
import { floorTo } from "../stats/interval.ts";
import type { SeriesId } from "../stats/series-id.ts";
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

/** One function, as D1 knows it. */
export interface KnownFunction extends SeriesId {
  id: number;
  calls: number;
  errors: number;
  firstSeen: number;
  lastSeen: number;
  /** By start. The last 48 hours if `hours` is known, else the last six. */
  minutes: Map<number, DurationRow>;
  /** By start: the hours before these minutes, up to 28 days back. Undefined until they are needed. */
  hours?: Map<number, Counts>;
  /** What it did before these minutes. */
  earlier: { calls: number; errors: number };
}

export interface Memory {
  epoch: string;
  /** The ledger was read from this flush on. */
  lowest: number;
  includes: (n: number) => boolean;
  /** Epoch milliseconds. */
  readAt: number;
  functions: Map<number, KnownFunction>;
}

const MAX_AGE_MS = 5 * MINUTE * 1000;
const RECENT = 6 * HOUR;
/** The two quarters of an hour that have ended, and the current one. */
const HISTOGRAMS = 45 * MINUTE;
/** A flush holds minutes from before the one ahead of it was read: the longest wait, and what clients hold back. */
const OVERLAP = 10 * MINUTE;
const MINUTES_KEPT = 48 * HOUR;
export const HOURS_KEPT = 28 * DAY;
/** Functions whose past is read by one statement: some 70,000 rows of three numbers. */
const PASTS_PER_READ = 20;

type Database = Pick<Env, "DB">;

/** Whether what is remembered and the snapshot together are all acknowledged calls. */
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

/** Asks D1 for what is new. Undefined if D1 changed meanwhile: then start over with a new snapshot. */
export async function refresh(
  env: Database,
  snapshot: Snapshot,
  old: Memory | undefined,
  now: number,
): Promise<Memory | undefined> {
  const seconds = now / 1000;
  const before = old?.epoch === snapshot.epoch ? old : undefined;
  const whole = floorTo(seconds - RECENT, HOUR);
  const start = before ? Math.max(whole, floorTo(before.readAt / 1000 - OVERLAP, MINUTE)) : whole;
  const seenSince = now - HOURS_KEPT * 1000;
  const histograms = seconds - HISTOGRAMS;
  const memory = await read(env, snapshot, now, [recentCalls(seenSince, start, histograms)]);
  if (!memory) return undefined;
  const stale: number[] = [];
  for (const row of memory.rows[0]) {
    const known = before?.functions.get(row.id);
    if (known && hourOf(before!.readAt) === hourOf(now) && isSame(known, row)) {
      memory.functions.set(row.id, known);
      continue;
    }
    const updated = updatedBy(known, row, start);
    memory.functions.set(row.id, updated);
    const isWhole = start === whole || (known ? addsUp(updated) : row.firstSeen / 1000 >= start);
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

/** Reads the past of some functions. False if D1 changed meanwhile: then start over. */
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
  // What was pending in the snapshot has been sealed and has reached D1. Adding it would count it twice.
  if (highest >= next) return undefined;
  return { epoch, lowest, includes, readAt: now, functions: new Map(), rows };
}

/** Reads more of what `memory` holds. Undefined if D1 has applied a flush since, because the numbers would not fit. */
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

/** Whether it was not called since. Then what is known of it stays, and with it what was computed from that. */
function isSame(known: KnownFunction, { calls, errors, lastSeen }: RecentCalls): boolean {
  return known.calls === calls && known.errors === errors && known.lastSeen === lastSeen;
}

function addsUp({ calls, errors, minutes, earlier }: KnownFunction): boolean {
  const sum = sumOf(minutes.values());
  return earlier.calls + sum.calls === calls && earlier.errors + sum.errors === errors;
}

/**
 * Drops what is older than it need be. Minutes of a known past become hours, as in D1. Changes only maps of its own,
 * because another request may be reading those of the memory before.
 */
function forgetOld(known: KnownFunction, seconds: number): void {
  const cut = floorTo(seconds - (known.hours ? MINUTES_KEPT : RECENT), HOUR);
  const old = [...known.minutes.values()].filter(({ start }) => start < cut);
  if (old.length > 0) {
    const sum = sumOf([...old, { start: 0, ...known.earlier }]);
    known.earlier = sum;
    for (const { start } of old) known.minutes.delete(start);
    if (known.hours) {
      const oldest = floorTo(seconds - HOURS_KEPT, HOUR);
      known.hours = new Map([...known.hours].filter(([start]) => start >= oldest));
      for (const minute of old) addTo(known.hours, minute);
    }
  }
  for (const [start, minute] of known.minutes) {
    if (minute.buckets && start < seconds - HISTOGRAMS - MINUTE) {
      known.minutes.set(start, { ...minute, buckets: null });
    }
  }
}

function addPast(known: KnownFunction, past: PastCalls | undefined, cut: number): void {
  const hours = new Map<number, Counts>();
  for (const [start, calls, errors] of past?.hours ?? []) {
    // Of later hours, the minutes are known.
    if (start < cut) addTo(hours, { start, calls, errors });
  }
  for (const [start, calls, errors] of past?.minutes ?? []) {
    if (start < cut) addTo(hours, { start, calls, errors });
    else if (!known.minutes.has(start)) {
      known.minutes.set(start, {
        start,
        calls,
        errors,
        unmeasured: 0,
        minMs: null,
        maxMs: null,
        buckets: null,
      });
    }
  }
  known.hours = hours;
  const sum = sumOf(known.minutes.values());
  known.earlier = { calls: known.calls - sum.calls, errors: known.errors - sum.errors };
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
