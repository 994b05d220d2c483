/** What each function did, since the beginning or over a range, with what is not in D1 yet. */
import {
  addSums,
  addToTotals,
  type Delta,
  functionKey,
  type FunctionId,
  noCalls,
  type Sums,
} from "../stats/delta.ts";
import type { FunctionTotals } from "../stats/delta.ts";
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
  range: Range,
  steps: Steps,
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
    steps,
  );
  const size = Math.max(1, Math.floor(ROLLUPS_PER_READ / rollupsIn(steps.covered, now)));
  for (let i = 0; i < selected.length; i += size) {
    await addStored(env, totals, selected.slice(i, i + size), range, steps);
  }
  return [...totals.values()];
}

async function addStored(
  env: Bindings,
  totals: Map<string, RangeTotals>,
  functions: readonly StoredFunction[],
  range: Range,
  steps: Steps,
): Promise<void> {
  const byId = new Map(functions.map((row) => [row.id, silent(row, steps)]));
  const { stored, waiting } = await readExact(env, [rollupsOfIds([...byId.keys()], steps.covered)]);
  for (const rollup of stored[0]) {
    const into = byId.get(rollup.functionId)!;
    add(into, rollup, rollup.start, range, steps);
  }
  const own = new Map([...byId.values()].map((row) => [functionKey(row), row]));
  addWaiting(
    own,
    waiting.filter((delta) => own.has(functionKey(delta))),
    range,
    steps,
  );
  for (const [key, row] of own) totals.set(key, row);
}

function addWaiting(
  totals: Map<string, RangeTotals>,
  deltas: readonly Delta[],
  range: Range,
  steps: Steps,
): void {
  for (const delta of deltas) {
    const key = functionKey(delta);
    const into = totals.get(key) ?? silent(delta, steps);
    totals.set(key, into);
    into.firstSeen = Math.min(into.firstSeen, delta.firstSeen);
    into.lastSeen = Math.max(into.lastSeen, delta.lastSeen);
    if (isWithin(steps.covered, delta.minute)) add(into, delta, delta.minute, range, steps);
  }
}

function add(into: RangeTotals, from: Sums, start: number, range: Range, steps: Steps): void {
  if (isWithin(range, start)) addSums(into, from);
  const step = stepOf(steps, start);
  into.sparkline.calls[step]! += from.calls;
  into.sparkline.errors[step]! += from.errors;
}

function silent(
  row: FunctionId & { firstSeen: number; lastSeen: number },
  { covered, step }: Steps,
): RangeTotals {
  const { service, module, function: name, firstSeen, lastSeen } = row;
  const steps = Math.max(1, Math.ceil((covered.to - covered.from) / step));
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
