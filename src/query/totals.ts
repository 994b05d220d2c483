/** What each function did, since the beginning or over a range, with what is not in D1 yet. */
import { addSums, addToTotals, type Delta, functionKey, type FunctionId, noCalls } from "../stats/delta.ts";
import type { FunctionTotals } from "../stats/delta.ts";
import { allFunctions, allTotals, type StoredFunction } from "../store/read-functions.ts";
import { rollupsOfIds } from "../store/read-rollups.ts";
import { readExact } from "./exact.ts";
import { isWithin, type Range, rollupsIn } from "./range.ts";

type Bindings = Pick<Env, "BUFFER" | "DB">;
type IsSelected = (id: FunctionId) => boolean;

/** Over a range: the calls and errors of each step, from the range's beginning. */
export interface Sparkline {
  calls: number[];
  errors: number[];
}

export type RangeTotals = FunctionTotals & { sparkline: Sparkline };

/** Rollups held at once: some 20 MB. */
const ROLLUPS_PER_READ = 40_000;

/** Reads as many rows as there are functions. */
export async function readTotals(env: Bindings, isSelected: IsSelected): Promise<FunctionTotals[]> {
  const { stored, waiting } = await readExact(env, [allTotals()]);
  const totals = new Map(
    stored[0].filter(isSelected).map((row) => [functionKey(row), row as FunctionTotals]),
  );
  for (const delta of waiting) if (isSelected(delta)) addToTotals(totals, delta);
  return [...totals.values()];
}

/**
 * What starts within the range, and nothing for a function that was silent then. Reads each rollup in the range
 * once, in several reads where there are many, so that memory is bounded: a function's own numbers are of one
 * moment, those of different functions may not be.
 */
export async function readTotalsOver(
  env: Bindings,
  isSelected: IsSelected,
  { range, step }: { range: Range; step: number },
  now: number,
): Promise<RangeTotals[]> {
  const { stored, waiting } = await readExact(env, [allFunctions()]);
  const selected = stored[0].filter(isSelected);
  const known = new Set(stored[0].map(functionKey));
  // What D1 does not know at all is exact already, and must be taken from this read: by the next it may be there.
  const totals = new Map<string, RangeTotals>();
  addWaiting(
    totals,
    waiting.filter((delta) => isSelected(delta) && !known.has(functionKey(delta))),
    range,
    step,
  );
  const size = Math.max(1, Math.floor(ROLLUPS_PER_READ / rollupsIn(range, now)));
  for (let i = 0; i < selected.length; i += size) {
    await addStored(env, totals, selected.slice(i, i + size), range, step);
  }
  return [...totals.values()];
}

async function addStored(
  env: Bindings,
  totals: Map<string, RangeTotals>,
  functions: readonly StoredFunction[],
  range: Range,
  step: number,
): Promise<void> {
  const byId = new Map(functions.map((row) => [row.id, silent(row, range, step)]));
  const { stored, waiting } = await readExact(env, [rollupsOfIds([...byId.keys()], range)]);
  for (const rollup of stored[0]) {
    const into = byId.get(rollup.functionId)!;
    addSums(into, rollup);
    addToSparkline(into.sparkline, rollup, rollup.start, range, step);
  }
  const own = new Map([...byId.values()].map((row) => [functionKey(row), row]));
  addWaiting(
    own,
    waiting.filter((delta) => own.has(functionKey(delta))),
    range,
    step,
  );
  for (const [key, row] of own) totals.set(key, row);
}

function addWaiting(
  totals: Map<string, RangeTotals>,
  deltas: readonly Delta[],
  range: Range,
  step: number,
): void {
  for (const delta of deltas) {
    const key = functionKey(delta);
    const into = totals.get(key) ?? silent(delta, range, step);
    totals.set(key, into);
    into.firstSeen = Math.min(into.firstSeen, delta.firstSeen);
    into.lastSeen = Math.max(into.lastSeen, delta.lastSeen);
    if (!isWithin(range, delta.minute)) continue;
    addSums(into, delta);
    addToSparkline(into.sparkline, delta, delta.minute, range, step);
  }
}

function addToSparkline(
  into: Sparkline,
  from: { calls: number; errors: number },
  start: number,
  range: Range,
  step: number,
): void {
  const i = Math.floor((start - range.from) / step);
  into.calls[i]! += from.calls;
  into.errors[i]! += from.errors;
}

function silent(
  row: FunctionId & { firstSeen: number; lastSeen: number },
  range: Range,
  step: number,
): RangeTotals {
  const { service, module, function: name, firstSeen, lastSeen } = row;
  const steps = Math.max(1, Math.ceil((range.to - range.from) / step));
  const nothing = () => Array.from({ length: steps }, () => 0);
  return {
    service,
    module,
    function: name,
    ...noCalls(),
    firstSeen,
    lastSeen,
    sparkline: { calls: nothing(), errors: nothing() },
  };
}
