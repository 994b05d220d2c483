/** Reads the past durations that `GET /attention` compares the last two quarters of an hour with. */
import { callBinding } from "../call-binding.ts";
import {
  comparableHours,
  judgeSlowness,
  lastQuarter,
  type Percentile,
  slownessLimits,
} from "../stats/attention-durations.ts";
import type { Delta } from "../stats/delta.ts";
import { quantiles } from "../stats/histogram.ts";
import { floorTo, type Range } from "../stats/interval.ts";
import { sumOf, type Sums } from "../stats/sums.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { type DurationRow, pastDurations } from "../store/read-attention.ts";
import { readWithLedger } from "../store/read-with-ledger.ts";
import type { KnownFunction } from "./attention-memory.ts";

/** One function with its durations. `readPastDurations` takes only functions with enough measured calls to judge. */
export interface Timed {
  known: Pick<KnownFunction, "id"> | undefined;
  deltas: readonly Delta[];
  /** The last two quarters, latest first. */
  quarters: Percentile[];
}

export interface PastDurations {
  /** The latest quarter when they were read, by its start in epoch seconds. */
  quarter: number;
  hours: Percentile[];
  /** The quarters of the past day, latest first, if the function is slower. */
  quarters?: Percentile[];
}

/**
 * By id of the function. The hours that a quarter is compared with ended at least 22 hours ago, so an entry serves all
 * quarters of an hour.
 */
export type DurationMemory = Map<number, PastDurations>;

/** Functions in one statement. */
const FUNCTIONS_PER_READ = 50;
const SLOWER_PER_READ = 15;
/** If too few hours of earlier days are stored, hours are summed from the minutes of the last two days. */
const DAYS_OF_MINUTES = 2;

/** Reads into `memory` the past durations of the given functions that it lacks. `now` is in epoch milliseconds. */
export async function readPastDurations(
  env: Pick<Env, "DB">,
  memory: DurationMemory,
  timed: readonly Timed[],
  now: number,
): Promise<void> {
  const quarter = lastQuarter(now / 1000);
  const hour = floorTo(quarter, HOUR);
  for (const [id, past] of memory) if (floorTo(past.quarter, HOUR) !== hour) memory.delete(id);
  const ids = timed.flatMap(({ known }) => (known && !memory.has(known.id) ? [known.id] : []));
  const hours = await readHours(env, {
    ids,
    width: HOUR,
    windows: comparableHours(quarter, slownessLimits.learnedDays),
  });
  const few = ids.filter((id) => !isEnough(hours.get(id) ?? []));
  const ofMinutes = await readHours(env, {
    ids: few,
    width: MINUTE,
    windows: comparableHours(quarter, DAYS_OF_MINUTES),
  });
  for (const id of ids) {
    memory.set(id, { quarter, hours: [...(hours.get(id) ?? []), ...(ofMinutes.get(id) ?? [])] });
  }
  const slower = timed.filter(({ known, quarters }) => {
    const past = known && memory.get(known.id);
    if (!past) return false;
    const [oldest, before] = [quarters.at(-1)!.start, past.quarters];
    if (before && before[0]!.start >= oldest - slownessLimits.quarterSeconds) {
      // Read earlier in this hour: only the latest quarters are new.
      past.quarters = [...quarters, ...before.filter(({ start }) => start < oldest)];
      return false;
    }
    const judged = judgeSlowness(quarters, past.hours);
    return judged !== undefined && judged !== "unknown";
  });
  await readSince(env, memory, slower, quarter);
}

/** The p95 over all parts of a stretch of time that begins at `start`. */
export function percentileOf(start: number, parts: readonly Sums[]): Percentile {
  const { calls, unmeasured, buckets, minMs, maxMs } = sumOf(parts);
  const [p95Ms] = quantiles(buckets, [0.95], minMs, maxMs);
  return { start, measured: calls - unmeasured, p95Ms: p95Ms ?? 0 };
}

/**
 * Reads what shows when the given functions became slower: their minutes of the past day, and the hours to compare these
 * with.
 */
async function readSince(
  env: Pick<Env, "DB">,
  memory: DurationMemory,
  slower: readonly Timed[],
  quarter: number,
): Promise<void> {
  const { lookBackSeconds, quarterSeconds, learnedDays } = slownessLimits;
  const from = quarter - lookBackSeconds;
  for (let i = 0; i < slower.length; i += SLOWER_PER_READ) {
    const some = slower.slice(i, i + SLOWER_PER_READ);
    const ids = some.map(({ known }) => known!.id);
    const to = quarter + quarterSeconds;
    const minutes = await readRows(env, { ids, width: MINUTE, windows: [{ from, to }] });
    const hours = await readHours(env, {
      ids,
      width: HOUR,
      windows: [{ from: from - (learnedDays + 1) * DAY, to: from }],
    });
    for (const { known, deltas, quarters } of some) {
      const past = memory.get(known!.id)!;
      const rows = [
        ...(minutes.get(known!.id) ?? []).map(asSums),
        ...deltas.map(({ minute, ...d }) => ({ ...d, start: minute })),
      ];
      const byQuarter = Map.groupBy(rows, ({ start }) => floorTo(start, quarterSeconds));
      const older: Percentile[] = [];
      for (let start = quarter - 2 * quarterSeconds; start >= from; start -= quarterSeconds) {
        older.push(percentileOf(start, byQuarter.get(start) ?? []));
      }
      const known14 = hours.get(known!.id) ?? [];
      const own = new Set(known14.map(({ start }) => start));
      memory.set(known!.id, {
        ...past,
        hours: [...known14, ...past.hours.filter(({ start }) => !own.has(start))],
        quarters: [...quarters, ...older],
      });
    }
  }
}

/** Which rollups to read. `width` is in seconds, the windows in epoch seconds. */
interface Asked {
  ids: readonly number[];
  width: number;
  windows: readonly Range[];
}

async function readHours(env: Pick<Env, "DB">, asked: Asked): Promise<Map<number, Percentile[]>> {
  const all = new Map<number, Percentile[]>();
  for (const [id, rows] of await readRows(env, asked)) {
    const byHour = Map.groupBy(rows, ({ start }) => floorTo(start, HOUR));
    all.set(
      id,
      Array.from(byHour, ([start, own]) => percentileOf(start, own.map(asSums))),
    );
  }
  return all;
}

async function readRows(
  env: Pick<Env, "DB">,
  { ids, width, windows }: Asked,
): Promise<Map<number, DurationRow[]>> {
  const all = new Map<number, DurationRow[]>();
  for (let i = 0; i < ids.length; i += FUNCTIONS_PER_READ) {
    const query = pastDurations(ids.slice(i, i + FUNCTIONS_PER_READ), width, windows);
    const { rows } = await callBinding("D1", () =>
      readWithLedger(env.DB, [{ epoch: "", fromN: Number.MAX_SAFE_INTEGER }], [query]),
    );
    for (const { id, rows: own } of rows[0]) all.set(id, own);
  }
  return all;
}

function isEnough(hours: readonly Percentile[]): boolean {
  const { minMeasured, minPastHours } = slownessLimits;
  return hours.filter(({ measured }) => measured >= minMeasured).length >= minPastHours;
}

function asSums({ buckets, ...row }: DurationRow): Sums & { start: number } {
  return { ...row, buckets: buckets ?? [] };
}
