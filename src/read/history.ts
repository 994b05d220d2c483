/**
 * Reads the sums of functions over minutes, hours and days as they are stored, for doors that need to know how much had
 * happened at any moment.
 */
import { ceilTo, isWithin, type Range } from "../stats/interval.ts";
import { idOf, type SeriesId, seriesKey } from "../stats/series-id.ts";
import { sumOf, type Sums } from "../stats/sums.ts";
import { HOUR, MINUTE } from "../stats/tiers.ts";
import { allFunctions, allSums, allTotals, sumsOfIds, totalsOfIds } from "../store/read-functions.ts";
import { type Tile, tilesOfIds } from "../store/read-rollups.ts";
import { readExact } from "./exact.ts";
import { readKept } from "./kept.ts";
import { readParts } from "./parts.ts";
import { coarseUntil } from "./range.ts";
import { ONE_STEP, type ReadBindings } from "./series.ts";

/** The sums of calls within a minute, an hour or a day. `start` and `resolution`, its length, are seconds. */
export type Span = Sums & { start: number; resolution: number };

export interface History extends SeriesId {
  firstSeen: number;
  lastSeen: number;
  /** In no order. Each call in the range is in one of them. With `since`, each call after the range too. */
  spans: Span[];
  /** All calls since the beginning. Only with `since`. */
  totals: Sums | undefined;
}

export interface HistoryRequest {
  isMatching: (id: SeriesId) => boolean;
  /** Whole minutes, hours or days, by the age of each end. Epoch seconds. */
  range: Range;
  /** In seconds: spans may be that long where they are kept that long, if they start at multiples of it. */
  step: number;
  /** Whether the buckets of the sums are needed. They are empty otherwise. */
  withBuckets: boolean;
  /** Whether to read totals as well, so that the calls before the range are known. */
  since: boolean;
  now: number;
  /** Called with the number of matching functions before their spans are read. May throw. */
  accept: (functions: number) => void;
}

/** Calls are not later than now, except as far as clocks differ. Epoch seconds. */
const endOf = (now: number): number => ceilTo(now / 1000 + HOUR, HOUR);

/**
 * The histories of all matching functions. Each is exact and from one moment; different ones may be from different moments.
 *
 * @throws {BusyError | BindingFault}
 */
export async function* readHistories(env: ReadBindings, request: HistoryRequest): AsyncGenerator<History> {
  const { step, withBuckets, since, now } = request;
  const end = endOf(now);
  const reachesNow = since && request.range.to >= now / 1000;
  const range = reachesNow ? { from: request.range.from, to: end } : request.range;
  const rest = { from: range.to, to: end };
  const whole = since ? { from: range.from, to: end } : range;
  const asked = [{ range, coarse: coarseUntil(request.range, step, now) }];
  if (since && !reachesNow) asked.push({ range: rest, coarse: coarseUntil(rest, ONE_STEP, now) });
  const parts = readParts<Listed, Tile>(env, {
    ...request,
    asked,
    list: since ? (withBuckets ? allTotals() : allSums()) : allFunctions(),
    ...(since && { listAgain: withBuckets ? totalsOfIds : sumsOfIds }),
    rows: (ids, own, coarse) => tilesOfIds(ids, own, coarse, withBuckets),
  });
  for await (const { listed, rows, deltas } of parts) {
    const seen = listed ? [listed, ...deltas] : deltas;
    yield {
      ...idOf(seen[0]!),
      firstSeen: Math.min(...seen.map(({ firstSeen }) => firstSeen)),
      lastSeen: Math.max(...seen.map(({ lastSeen }) => lastSeen)),
      spans: [
        ...rows.map((row) => ({ ...row, buckets: row.buckets ?? [] })),
        ...deltas
          .filter(({ minute }) => isWithin(whole, minute))
          .map((delta) => ({ ...delta, start: delta.minute, resolution: MINUTE })),
      ],
      totals: since
        ? sumOf([...(listed ? [{ ...(listed as Sums), buckets: listed.buckets ?? [] }] : []), ...deltas])
        : undefined,
    };
  }
}

type Listed = SeriesId & { id: number; firstSeen: number; lastSeen: number } & Partial<Sums>;

/** Functions with the times of their first and last call. */
export type SeenFunction = SeriesId & { firstSeen: number; lastSeen: number };

/** All functions that match, with the times of their calls. Reads one row for each. @throws {BusyError | BindingFault} */
export async function readFunctions(
  env: ReadBindings,
  isMatching: (id: SeriesId) => boolean,
): Promise<SeenFunction[]> {
  const kept = await readKept(env, isMatching, []);
  const all = kept
    ? [...kept.functions.map(({ row }) => row), ...kept.unappliedFlushes.flat()]
    : await readExact(env, [allFunctions()]).then(({ stored, unapplied }) => [...stored[0], ...unapplied]);
  const groups = Map.groupBy(all.filter(isMatching), seriesKey);
  return Array.from(groups.values(), (group) => ({
    ...idOf(group[0]!),
    firstSeen: Math.min(...group.map(({ firstSeen }) => firstSeen)),
    lastSeen: Math.max(...group.map(({ lastSeen }) => lastSeen)),
  }));
}
