/** Aggregations that choose series or count values: `topk`, `bottomk`, `count_values`. */
import { type Annotations, MESSAGES } from "../annotations.ts";
import type { Aggregation } from "../ast.ts";
import { executionError } from "../errors.ts";
import { formatHistogram } from "../histogram/histogram.ts";
import { isLabelName, setLabel } from "../labels.ts";
import { compareNaNLast, formatGeneral, formatValue } from "../numbers.ts";
import { type Group, groupRows } from "./groups.ts";
import type { Budget } from "./budget.ts";
import { FLOAT, HISTOGRAM, NONE, Row, RowSet } from "./value.ts";
import { quote } from "../quote.ts";

/** Keeps the k highest or lowest samples of each group at each step. For one step, the result is in that order. */
export function chooseRows(
  { operator, span }: Aggregation,
  groups: readonly Group[],
  counts: Float64Array,
  annotations: Annotations,
  budget: Budget,
): Row[] {
  const descending = operator === "topk";
  const most = counts.reduce((a, b) => Math.max(a, b), -Infinity);
  if (most < 1) return [];
  for (const count of counts) {
    if (Number.isNaN(count)) throw executionError("Parameter value is NaN");
    if (count <= -(2 ** 63)) throw executionError(`Scalar value ${formatGeneral(count)} underflows int64`);
    if (count >= 2 ** 63) throw executionError(`Scalar value ${formatGeneral(count)} overflows int64`);
  }
  const chosen: Row[] = [];
  for (const { rows } of groups) {
    const results = new Map<Row, Row>();
    let order = rows;
    for (let step = 0; step < counts.length; step++) {
      const present = rows.filter(({ kinds }) => kinds[step] === FLOAT);
      if (rows.some(({ kinds }) => kinds[step] === HISTOGRAM)) {
        annotations.inform(MESSAGES.ignoredInAggregation(operator), span);
      }
      present.sort((a, b) => compareNaNLast(a.floats[step]!, b.floats[step]!, descending));
      for (const row of present.slice(0, Math.max(0, Math.trunc(counts[step]!)))) {
        let result = results.get(row);
        if (!result) {
          budget.hold(counts.length);
          result = new Row(row.labels, counts.length, row.dropName);
          results.set(row, result);
        }
        result.set(step, row.floats[step]!);
      }
      order = present;
    }
    const ordered = counts.length === 1 ? order : rows;
    for (const row of ordered) {
      const result = results.get(row);
      if (result) chosen.push(result);
    }
  }
  return chosen;
}

/** Counts how many series of each group have each value, which becomes a label. */
export function countValues(
  aggregation: Aggregation,
  rows: readonly Row[],
  label: string,
  steps: number,
  budget: Budget,
): Row[] {
  if (!isLabelName(label)) throw executionError(`invalid label name ${quote(label)}`);
  const results = new RowSet(steps, budget);
  const { labels, without } = aggregation;
  const grouping = { without, labels: without ? labels : [...labels, label] };
  for (let step = 0; step < steps; step++) {
    const labelled = rows
      .filter(({ kinds }) => kinds[step] !== NONE)
      .map((row) => {
        const value = row.get(step)!;
        const text = typeof value === "number" ? formatValue(value) : formatHistogram(value);
        return new Row(setLabel(row.labels, label, text), 0);
      });
    for (const group of groupRows(labelled, grouping))
      results.put(group.labels, false, step, group.rows.length);
  }
  return results.list();
}
