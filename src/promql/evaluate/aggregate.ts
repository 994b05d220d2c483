/** Aggregations: `sum by (…)` and its relatives make one series of each group. */
import { type Annotations, MESSAGES } from "../annotations.ts";
import type { Aggregation } from "../ast.ts";
import { HistogramTotal, Mean } from "../functions/means.ts";
import { quantileOf } from "../functions/quantile.ts";
import type { Histogram } from "../histogram/histogram.ts";
import { metricName } from "../labels.ts";
import type { AggregationOperator } from "../operators.ts";
import { compensate, isInfinite } from "../numbers.ts";
import type { Budget } from "./budget.ts";
import { type Group, groupRows } from "./groups.ts";
import { chooseRows, countValues } from "./select-rows.ts";
import { FLOAT, HISTOGRAM, NONE, Row, type Value, scalarOf, stringOf } from "./value.ts";

export interface AggregationContext {
  annotations: Annotations;
  budget: Budget;
  steps: number;
}

/** Aggregates rows. `parameter` is the value of the aggregation's own parameter at each step. */
export function aggregateRows(
  aggregation: Aggregation,
  rows: Row[],
  parameter: Value | undefined,
  { annotations, budget, steps }: AggregationContext,
): Row[] {
  const { operator } = aggregation;
  if (operator === "count_values") return countValues(aggregation, rows, stringOf(parameter), steps, budget);
  const groups = groupRows(rows, aggregation);
  const parameters = scalarOf(parameter);
  if (operator === "topk" || operator === "bottomk") {
    return chooseRows(aggregation, groups, parameters, annotations, budget);
  }
  if (operator === "quantile") {
    for (const q of new Set(parameters)) {
      if (!(q >= 0 && q <= 1)) annotations.warn(MESSAGES.invalidQuantile(q), aggregation.parameter!.span);
    }
  }
  return groups
    .map((group) => aggregateGroup(operator, aggregation, group, steps, parameters, annotations))
    .filter((row) => !row.isEmpty);
}

/** Aggregations that make one series of each group. */
type Combining = Exclude<AggregationOperator, "topk" | "bottomk" | "count_values">;

/** Aggregates one group. `parameters` is the φ of `quantile` at each step. */
function aggregateGroup(
  operator: Combining,
  { inner }: Aggregation,
  { labels, rows }: Group,
  steps: number,
  parameters: Float64Array,
  annotations: Annotations,
): Row {
  const result = new Row(
    labels,
    steps,
    rows.some(({ dropName }) => dropName),
  );
  const hasHistograms = rows.some(({ histograms }) => histograms !== undefined);
  switch (operator) {
    case "sum":
      if (hasHistograms) totalOfMixed(rows, result, false, annotations, inner);
      else sumFloats(rows, result);
      return result;
    case "avg":
      totalOfMixed(rows, result, true, annotations, inner);
      return result;
    case "count":
    case "group":
      countSamples(rows, result, operator === "group");
      return result;
  }
  if (hasHistograms && rows.some(({ kinds }) => kinds.includes(HISTOGRAM))) {
    annotations.inform(MESSAGES.ignoredInAggregation(operator), inner.span);
  }
  for (let step = 0; step < steps; step++) {
    const value = aggregateStep(operator, rows, step, parameters[step] ?? 0);
    if (value !== undefined) result.set(step, value);
  }
  return result;
}

function sumFloats(rows: readonly Row[], { kinds, floats }: Row): void {
  const compensations = new Float64Array(floats.length);
  for (const row of rows) {
    for (let step = 0; step < floats.length; step++) {
      if (row.kinds[step] !== FLOAT) continue;
      const value = row.floats[step]!;
      kinds[step] = FLOAT;
      const next = floats[step]! + value;
      compensations[step] = compensate(floats[step]!, value, next, compensations[step]!);
      floats[step] = next;
    }
  }
  for (let step = 0; step < floats.length; step++) {
    if (!isInfinite(floats[step]!)) floats[step]! += compensations[step]!;
  }
}

/** Sums or averages floats or histograms. A group with both at one step has no result there. */
function totalOfMixed(
  rows: readonly Row[],
  result: Row,
  average: boolean,
  annotations: Annotations,
  inner: Aggregation["inner"],
): void {
  for (let step = 0; step < result.kinds.length; step++) {
    let floats: Mean | undefined;
    let sum: number | undefined;
    let compensation = 0;
    let histograms: HistogramTotal | undefined;
    let name = "";
    for (const row of rows) {
      if (row.kinds[step] === HISTOGRAM) {
        histograms ??= new HistogramTotal(average);
        const wasMixed = histograms.isMixed;
        histograms.add(row.histograms![step]!);
        if (histograms.isMixed && !wasMixed) name = metricName(row.labels);
      } else if (row.kinds[step] === FLOAT) {
        const value = row.floats[step]!;
        if (average) (floats ??= new Mean()).add(value);
        const next = (sum ?? 0) + value;
        compensation = compensate(sum ?? 0, value, next, compensation);
        sum = next;
      }
    }
    histograms?.annotate(annotations, inner.span, name);
    if (sum !== undefined && histograms) annotations.warn(MESSAGES.mixedAggregation, inner.span);
    else if (sum !== undefined) result.set(step, floats ? floats.value : sum + compensation);
    else {
      const value: Histogram | undefined = histograms?.value;
      if (value) result.set(step, value);
    }
  }
}

function countSamples(rows: readonly Row[], { kinds, floats }: Row, isGroup: boolean): void {
  for (const row of rows) {
    for (let step = 0; step < floats.length; step++) {
      if (row.kinds[step] === NONE) continue;
      kinds[step] = FLOAT;
      floats[step] = isGroup ? 1 : floats[step]! + 1;
    }
  }
}

function aggregateStep(
  operator: "min" | "max" | "quantile" | "stdvar" | "stddev",
  rows: readonly Row[],
  step: number,
  parameter: number,
): number | undefined {
  const values: number[] = [];
  for (const { kinds, floats } of rows) if (kinds[step] === FLOAT) values.push(floats[step]!);
  if (values.length === 0) return undefined;
  switch (operator) {
    case "min":
      return values.reduce((best, value) => (value < best || Number.isNaN(best) ? value : best));
    case "max":
      return values.reduce((best, value) => (value > best || Number.isNaN(best) ? value : best));
    case "quantile":
      return quantileOf(parameter, values);
    case "stdvar":
      return variance(values);
    case "stddev":
      return Math.sqrt(variance(values));
  }
}

/** Welford's algorithm. */
function variance(values: readonly number[]): number {
  let mean = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    const delta = value - mean;
    mean += delta / (index + 1);
    squares += delta * (value - mean);
  }
  // A single value that is not finite has no variance either.
  return Number.isFinite(values[0]!) ? squares / values.length : Number.NaN;
}
