/** Which durations rules judge, and how they are counted from stored histograms. */
import { type Cell, slowerThan } from "../stats/call-cells.ts";
import { floorTo } from "../stats/interval.ts";
import type { SeriesId } from "../stats/series-id.ts";
import { HOUR } from "../stats/tiers.ts";
import type { DurationRow } from "../store/read-attention.ts";
import { limitOf } from "./judge/threshold.ts";
import type { NamedRule, Rule } from "./rule.ts";
import { matchesSelector } from "./selector.ts";

/** The limits in milliseconds above which the rule counts calls. Undefined if it does not judge durations. */
export function limitsOfRule(rule: Rule): number[] | undefined {
  if (rule.kind === "objective") return rule.latency && [rule.latency[0]];
  if (rule.kind !== "threshold") return undefined;
  const limit = limitOf(rule);
  if (limit !== undefined) return [limit];
  return rule.figure === "averageMs" ? [] : undefined;
}

/** The limits of all rules that select the function. Undefined if none judges its durations. */
export function limitsFor(rules: readonly NamedRule[], id: SeriesId): number[] | undefined {
  const own = rules
    .filter((rule) => rule.enabled && matchesSelector(rule.selector, id))
    .map(limitsOfRule)
    .filter((limits) => limits !== undefined);
  return own.length === 0 ? undefined : [...new Set(own.flat())];
}

/**
 * Adds durations to cells. Before `minutesFrom` only the sums of hours are known. An hour's sum is added to its first minute,
 * so it counts in every window of whole hours.
 */
export function addDurations(
  minutes: readonly Cell[],
  hours: readonly Cell[],
  rows: { minutes: readonly DurationRow[]; hours: readonly DurationRow[] },
  limits: readonly number[],
  minutesFrom: number,
): void {
  const firstOfHour = new Map<number, Cell>();
  const byStart = new Map<number, Cell>();
  for (const cell of minutes) {
    byStart.set(cell.start, cell);
    const hour = floorTo(cell.start, HOUR);
    if (cell.start < minutesFrom && !firstOfHour.has(hour)) firstOfHour.set(hour, cell);
  }
  for (const cell of hours) firstOfHour.set(cell.start, cell);
  const add = (cell: Cell | undefined, row: DurationRow) => {
    if (!cell) return;
    cell.measured = row.calls - row.unmeasured;
    cell.sumUs = row.sumUs;
    cell.slow = Object.fromEntries(
      limits.map((limit) => [limit, slowerThan(limit, row.buckets ?? [], row.maxMs)]),
    );
  };
  for (const row of rows.hours) add(firstOfHour.get(row.start), row);
  for (const row of rows.minutes) add(byStart.get(row.start), row);
}
