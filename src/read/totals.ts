/** What each function did, since the beginning or over a range, with what is not in D1 yet. */
import {
  type Delta,
  functionKey,
  type FunctionId,
  type FunctionTotals,
  sumByFunction,
  sumOf,
  type Sums,
} from "../stats/delta.ts";
import { allFunctions, allTotals, type StoredFunction } from "../store/read-functions.ts";
import { rollupsOfIds } from "../store/read-rollups.ts";
import { readExact } from "./exact.ts";
import { isWithin, type Range, rollupsIn, stepOf, type Steps } from "./range.ts";

type Bindings = Pick<Env, "BUFFER" | "DB">;
type IsSelected = (id: FunctionId) => boolean;

/** The calls and errors of each step. */
export interface Sparkline {
  calls: number[];
  errors: number[];
}

/** What a function did in a bucket of time, which starts then, in epoch seconds. */
type Part = Sums & { start: number };
type Seen = FunctionId & { firstSeen: number; lastSeen: number };

export type RangeTotals = FunctionTotals & { sparkline: Sparkline };

/** Rollups held at once: some 20 MB. */
const ROLLUPS_PER_READ = 40_000;

/** Reads as many rows as there are functions. */
export async function readTotals(env: Bindings, isSelected: IsSelected): Promise<FunctionTotals[]> {
  const { stored, unapplied } = await readExact(env, [allTotals()]);
  return sumByFunction([...stored[0], ...unapplied].filter(isSelected));
}

/**
 * What starts within the range, and nothing for a function that was silent then. Reads each rollup in the range
 * once, in several reads where there are many, so that memory is bounded: a function's own numbers are of one
 * moment, those of different functions may not be.
 */
export async function readTotalsOver(
  env: Bindings,
  isSelected: IsSelected,
  range: Range,
  steps: Steps,
  now: number,
): Promise<RangeTotals[]> {
  const { stored, unapplied } = await readExact(env, [allFunctions()]);
  const selected = stored[0].filter(isSelected);
  const known = new Set(stored[0].map(functionKey));
  // What D1 does not know at all is exact already, and must be taken from this read: by the next it may be there.
  const unknown = unapplied.filter((delta) => isSelected(delta) && !known.has(functionKey(delta)));
  const totals = Array.from(Map.groupBy(unknown, functionKey).values(), (deltas) =>
    rangeTotals(deltas, [], deltas, range, steps),
  );
  const size = Math.max(1, Math.floor(ROLLUPS_PER_READ / rollupsIn(steps.covered, now)));
  for (let i = 0; i < selected.length; i += size) {
    for (const row of await readSome(env, selected.slice(i, i + size), range, steps)) totals.push(row);
  }
  return totals;
}

async function readSome(
  env: Bindings,
  functions: readonly StoredFunction[],
  range: Range,
  steps: Steps,
): Promise<RangeTotals[]> {
  const ids = functions.map(({ id }) => id);
  const { stored, unapplied } = await readExact(env, [rollupsOfIds(ids, steps.covered)]);
  const rollups = Map.groupBy(stored[0], ({ functionId }) => functionId);
  const deltas = Map.groupBy(unapplied, functionKey);
  return functions.map((row) => {
    const own = deltas.get(functionKey(row)) ?? [];
    return rangeTotals([row, ...own], rollups.get(row.id) ?? [], own, range, steps);
  });
}

/** Of one function, which was seen whenever any of `known` says. */
function rangeTotals(
  known: readonly Seen[],
  rollups: readonly Part[],
  deltas: readonly Delta[],
  range: Range,
  steps: Steps,
): RangeTotals {
  const { service, module, function: name } = known[0]!;
  const unapplied = deltas.map((delta) => ({ ...delta, start: delta.minute }));
  const parts = [...rollups, ...unapplied.filter(({ start }) => isWithin(steps.covered, start))];
  return {
    service,
    module,
    function: name,
    ...sumOf(parts.filter(({ start }) => isWithin(range, start))),
    firstSeen: known.reduce((first, { firstSeen }) => Math.min(first, firstSeen), Infinity),
    lastSeen: known.reduce((last, { lastSeen }) => Math.max(last, lastSeen), 0),
    sparkline: sparklineOf(parts, steps),
  };
}

function sparklineOf(parts: readonly Part[], steps: Steps): Sparkline {
  const { covered, step } = steps;
  const nothing = () =>
    Array.from({ length: Math.max(1, Math.ceil((covered.to - covered.from) / step)) }, () => 0);
  const sparkline = { calls: nothing(), errors: nothing() };
  for (const { start, calls, errors } of parts) {
    sparkline.calls[stepOf(steps, start)]! += calls;
    sparkline.errors[stepOf(steps, start)]! += errors;
  }
  return sparkline;
}
