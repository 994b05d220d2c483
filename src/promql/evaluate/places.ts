/** When selectors and subqueries look: offsets, `@`, and the times of subqueries. */
import type { AtModifier, MatrixSelector, Subquery } from "../ast.ts";
import { type Grid, type QueryEnds, timeAt } from "./value.ts";

/** What a selector or subquery may have. */
interface Modifiers {
  at: AtModifier | undefined;
  offsetMs: number;
}

/** The time that a selector or subquery looks at, for an evaluation at a time. */
export function shiftOf({ at, offsetMs }: Modifiers, ends: QueryEnds): (timeMs: number) => number {
  if (at === undefined) return (timeMs) => timeMs - offsetMs;
  const fixed = (typeof at === "number" ? at : ends[at]) - offsetMs;
  return () => fixed;
}

/** The end of a range vector's window, for an evaluation at a time. */
export const endOf = (range: MatrixSelector | Subquery, ends: QueryEnds): ((timeMs: number) => number) =>
  shiftOf(range.kind === "range" ? range.selector : range, ends);

/** The times of a subquery are multiples of its step, whatever the times of the query are. */
export function subqueryGrid(
  subquery: Subquery,
  grid: Grid,
  { ends, subqueryStepMs }: { ends: QueryEnds; subqueryStepMs: number },
): Grid {
  const shift = shiftOf(subquery, ends);
  const stepMs = subquery.stepMs || subqueryStepMs;
  const afterMs = shift(grid.startMs) - subquery.rangeMs;
  const endMs = shift(timeAt(grid, grid.steps - 1));
  const startMs = stepMs * (Math.floor(afterMs / stepMs) + 1);
  return { startMs, stepMs, steps: Math.floor((endMs - startMs) / stepMs) + 1 };
}
