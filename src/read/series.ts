/** Reads the calls of functions as series: over a range in steps, or as one total since the beginning. */
import { allFunctions, allTotals, type StoredTotals, totalsOf } from "../store/read-functions.ts";
import { rollupsOfIds, tilesOf } from "../store/read-rollups.ts";
import { readExact } from "./exact.ts";
import { mergeUnapplied } from "./failures.ts";
import { type FunctionName, isFunctionName, type Matchers, matching } from "./matchers.ts";
import { type Asked, type KeptRead, readKept } from "./kept.ts";
import { readParts } from "./parts.ts";
import { coarseUntil } from "./range.ts";
import type { Seen } from "./seen.ts";
import type { Delta } from "../stats/delta.ts";
import type { SeenFailure } from "../stats/failures.ts";
import { floorTo, isWithin, type Range } from "../stats/interval.ts";
import { idOf, type SeriesId, seriesKey } from "../stats/series-id.ts";
import { type SeriesTotals, sumOf, type Sums, type Tally } from "../stats/sums.ts";
import { failuresOf } from "../store/read-failures.ts";

export type ReadBindings = Pick<Env, "BUFFER" | "DB">;

/** The sums of a function's calls in one step. */
export interface Point {
  /** The start of the step, in epoch seconds. */
  at: number;
  sums: Sums;
}

/** One function with its points. `firstSeen` and `lastSeen` are its first and last call, in epoch milliseconds. */
export interface Series extends SeriesId {
  firstSeen: number;
  lastSeen: number;
  /** In order of time. A step without calls has no point. */
  points: Point[];
}

/** A series with the function's totals and failures since the beginning. */
export interface DetailedSeries extends Series {
  totals: Tally;
  failures: SeenFailure[];
}

/** A step that is longer than any range. With it, each series has one point. */
export const ONE_STEP = Infinity;

type Part = Sums & { start: number };

/**
 * Reads the points of every matching series, in steps of `step` seconds that start at multiples of it. Without a range,
 * each series has one point at 0, which covers all time. A series that was not called in the range has no points.
 *
 * Each series is exact, and its numbers are from one moment. Different series may be from different moments, because a
 * long list is read in parts to bound memory.
 *
 * @throws {BusyError | BindingFault}
 */
export async function* readSeries(
  env: ReadBindings,
  matchers: Matchers,
  range: Range | undefined,
  step: number,
): AsyncGenerator<Series> {
  if (!range) yield* await readSinceBeginning(env, matchers);
  else if (isFunctionName(matchers)) yield* await readDetailedSeries(env, matchers, range, step);
  else yield* readMany(env, matchers, range, step);
}

/** The totals of each matching function since the beginning. @throws {BusyError | BindingFault} */
export async function readTotals(env: ReadBindings, matchers: Matchers = {}): Promise<SeriesTotals[]> {
  const totals: SeriesTotals[] = [];
  for await (const { points, ...series } of readSeries(env, matchers, undefined, ONE_STEP)) {
    totals.push({ ...series, ...points[0]!.sums });
  }
  return totals;
}

/** As `readSeries` for one function, in each of its modules, with its totals and failures from the same moment. */
export async function readDetailedSeries(
  env: ReadBindings,
  name: FunctionName,
  range: Range,
  step: number,
): Promise<DetailedSeries[]> {
  const asked = { range, coarse: coarseUntil(range, step, Date.now()) };
  const { functions, unappliedFlushes } =
    (await readKept(env, matching(name), [asked], name)) ?? (await readStored(env, name, asked));
  const isMatching = matching(name);
  const known = new Map(functions.map((one) => [seriesKey(one.row), one]));
  const deltas = Map.groupBy(unappliedFlushes.flat().filter(isMatching), seriesKey);
  return [...new Set([...known.keys(), ...deltas.keys()])].map((key) => {
    const { row, tiles = [], failures = [] } = known.get(key) ?? {};
    const own = deltas.get(key) ?? [];
    const seen = row ? [row, ...own] : own;
    return {
      ...seriesOf(seen, tiles as Part[], own, range, step),
      totals: { ...sumOf(seen), ...timesOf(seen) },
      failures: mergeUnapplied(
        failures,
        unappliedFlushes.map((flush) => flush.filter((delta) => seriesKey(delta) === key)),
      ),
    };
  });
}

/** As `readKept`, from D1. */
async function readStored(
  env: ReadBindings,
  name: FunctionName,
  { range, coarse }: Asked,
): Promise<KeptRead> {
  const { stored, unappliedFlushes } = await readExact(env, [
    totalsOf(name),
    failuresOf(name),
    tilesOf(name, range, coarse),
  ]);
  const [rows, failures, tiles] = stored;
  const functions = rows.filter(matching(name)).map((row) => ({
    row,
    tiles: tiles.filter(({ functionId }) => functionId === row.id),
    failures: failures.filter(({ functionId }) => functionId === row.id),
  }));
  return { functions, unappliedFlushes };
}

async function readSinceBeginning(env: ReadBindings, matchers: Matchers): Promise<Series[]> {
  const parts = Map.groupBy((await readAllTotals(env, matchers)).filter(matching(matchers)), seriesKey);
  return Array.from(parts.values(), (own) => ({
    ...idOf(own[0]!),
    ...timesOf(own),
    points: [{ at: 0, sums: sumOf(own) }],
  }));
}

/** Totals in D1, and all deltas that they do not include. */
async function readAllTotals(env: ReadBindings, matchers: Matchers): Promise<(StoredTotals | Delta)[]> {
  const kept = await readKept(env, matching(matchers), []);
  if (kept) return [...kept.functions.map(({ row }) => row), ...kept.unappliedFlushes.flat()];
  const query = isFunctionName(matchers) ? totalsOf(matchers) : allTotals();
  const { stored, unapplied } = await readExact(env, [query]);
  return [...stored[0], ...unapplied];
}

async function* readMany(
  env: ReadBindings,
  matchers: Matchers,
  range: Range,
  step: number,
): AsyncGenerator<Series> {
  const parts = readParts(env, {
    isMatching: matching(matchers),
    asked: [{ range, coarse: coarseUntil(range, step, Date.now()) }],
    list: allFunctions(),
    rows: rollupsOfIds,
  });
  for await (const { listed, rows, deltas } of parts) {
    yield seriesOf(listed ? [listed, ...deltas] : deltas, rows, deltas, range, step);
  }
}

function seriesOf(
  seen: readonly Seen[],
  rollups: readonly Part[],
  deltas: readonly Delta[],
  range: Range,
  step: number,
): Series {
  const parts = [...rollups, ...deltas.map((delta) => ({ ...delta, start: delta.minute }))];
  const within = parts.filter(({ start }) => isWithin(range, start));
  const byStep = Map.groupBy(within, ({ start }) => (step === ONE_STEP ? range.from : floorTo(start, step)));
  const points = Array.from(byStep, ([at, own]) => ({ at, sums: sumOf(own) }));
  return { ...idOf(seen[0]!), ...timesOf(seen), points: points.sort((a, b) => a.at - b.at) };
}

function timesOf(seen: readonly Seen[]): { firstSeen: number; lastSeen: number } {
  let { firstSeen, lastSeen } = seen[0]!;
  for (const other of seen) {
    firstSeen = Math.min(firstSeen, other.firstSeen);
    lastSeen = Math.max(lastSeen, other.lastSeen);
  }
  return { firstSeen, lastSeen };
}
