/** Binary operators between scalars and vectors, and between vectors by matching labels. */
import type { Binary, Matching } from "../ast.ts";
import type { Annotations } from "../annotations.ts";
import { executionError } from "../errors.ts";
import {
  type Labels,
  METRIC_NAME,
  dropLabels,
  dropMetadata,
  formatLabels,
  keepLabels,
  labelsKey,
  setLabel,
} from "../labels.ts";
import { isComparison } from "../operators.ts";
import type { Budget } from "./budget.ts";
import { applyToSamples, arithmeticOf, changesMetric, comparisonOf } from "./elements.ts";
import { groupBySignature, signatureOf } from "./signature.ts";
import { FLOAT, NONE, type Row, RowSet, type Value, dropNames } from "./value.ts";

interface BinaryContext {
  annotations: Annotations;
  budget: Budget;
  delayedNames: boolean;
  steps: number;
}

/** Between each sample of a vector and the scalar at its step. `scalarFirst` tells the order of the operands. */
export function vectorWithScalar(
  binary: Binary,
  rows: Row[],
  scalar: Float64Array,
  scalarFirst: boolean,
  { annotations, delayedNames }: BinaryContext,
): Value {
  const { operator, returnBool, span } = binary;
  const calculate = arithmeticOf(operator);
  const compare = comparisonOf(operator);
  for (const row of rows) {
    const { kinds, floats } = row;
    for (let step = 0; step < kinds.length; step++) {
      if (kinds[step] === NONE) continue;
      const number = scalar[step]!;
      if (kinds[step] === FLOAT && (calculate || compare)) {
        const [a, b] = scalarFirst ? [number, floats[step]!] : [floats[step]!, number];
        if (calculate) floats[step] = calculate(a, b);
        else if (returnBool) floats[step] = Number(compare!(a, b));
        else if (!compare!(a, b)) kinds[step] = NONE;
        continue;
      }
      const value = row.get(step)!;
      const [a, b] = scalarFirst ? [number, value] : [value, number];
      const outcome = applyToSamples(operator, a, b, annotations, span);
      if (!outcome || (!outcome.keep && !returnBool)) kinds[step] = NONE;
      else if (returnBool) row.set(step, Number(outcome.keep));
      else row.set(step, isComparison(operator) ? value : outcome.value);
    }
  }
  const dropsName = changesMetric(operator) || returnBool;
  return { type: "vector", rows: dropsName ? dropNames(rows, delayedNames) : rows };
}

/** Between the samples of two vectors whose labels match. */
export function vectorWithVector(binary: Binary, left: Row[], right: Row[], context: BinaryContext): Value {
  const { matching } = binary;
  const swapped = matching.cardinality === "one-to-many";
  const many = swapped ? right : left;
  const one = swapped ? left : right;
  const signature = signatureOf(matching);
  const ones = groupBySignature(one, signature);
  const anyMany = anyAt(many, context.steps);
  for (const rows of ones.values()) if (rows.length > 1) checkUnique(rows, anyMany, matching, swapped);
  const results = new RowSet(context.steps, context.budget);
  for (const [key, rows] of groupBySignature(many, signature)) {
    const partners = ones.get(key);
    if (partners) matchGroup(binary, rows, partners, results, context);
  }
  return { type: "vector", rows: results.list() };
}

/** Steps at which any row has a value. */
function anyAt(rows: readonly Row[], steps: number): Uint8Array {
  const any = new Uint8Array(steps);
  for (const { kinds } of rows)
    for (let step = 0; step < steps; step++) if (kinds[step] !== NONE) any[step] = 1;
  return any;
}

function checkUnique(rows: readonly Row[], anyMany: Uint8Array, matching: Matching, swapped: boolean): void {
  for (let step = 0; step < anyMany.length; step++) {
    const present = anyMany[step] ? rows.filter(({ kinds }) => kinds[step] !== NONE) : [];
    if (present.length < 2) continue;
    const labels = present[1]!.labels;
    const group = matching.on
      ? keepLabels(labels, matching.labels)
      : dropLabels(labels, [METRIC_NAME, ...matching.labels]);
    const both = present
      .slice(0, 2)
      .map((row) => formatLabels(row.labels))
      .sort();
    throw executionError(
      `found duplicate series for the match group ${formatLabels(group)} on the ${swapped ? "left" : "right"} ` +
        `hand-side of the operation: [${both.join(", ")}];many-to-many matching not allowed: matching labels must be ` +
        "unique on one side",
    );
  }
}

function matchGroup(binary: Binary, many: Row[], ones: Row[], results: RowSet, context: BinaryContext): void {
  const { operator, matching, returnBool, span } = binary;
  const swapped = matching.cardinality === "one-to-many";
  const isOneToOne = matching.cardinality === "one-to-one";
  const labelsOf = new Map<Row, Map<Row, Labels>>();
  const resultLabels = (manyRow: Row, oneRow: Row): Labels => {
    let known = labelsOf.get(manyRow);
    if (!known) labelsOf.set(manyRow, (known = new Map()));
    let labels = known.get(oneRow);
    if (!labels)
      known.set(oneRow, (labels = joinLabels(manyRow.labels, oneRow.labels, binary, context.delayedNames)));
    return labels;
  };
  const seen = new Set<string>();
  for (let step = 0; step < context.steps; step++) {
    const oneRow =
      ones.length === 1 && ones[0]!.kinds[step] !== NONE
        ? ones[0]
        : ones.find(({ kinds }) => kinds[step] !== NONE);
    if (!oneRow) continue;
    let matches = 0;
    if (!isOneToOne) seen.clear();
    for (const manyRow of many) {
      if (manyRow.kinds[step] === NONE) continue;
      const [manyValue, oneValue] = [manyRow.get(step)!, oneRow.get(step)!];
      const [a, b] = swapped ? [oneValue, manyValue] : [manyValue, oneValue];
      const outcome = applyToSamples(operator, a, b, context.annotations, span);
      if (!outcome) continue;
      const labels = resultLabels(manyRow, oneRow);
      if (isOneToOne && ++matches > 1) {
        const hint = "many-to-one matching must be explicit (group_left/group_right)";
        throw executionError(`multiple matches for labels: ${hint}`);
      }
      if (!isOneToOne && many.length > 1) {
        const key = labelsKey(labels);
        if (seen.has(key)) {
          throw executionError("multiple matches for labels: grouping labels must ensure unique matches");
        }
        seen.add(key);
      }
      if (returnBool) results.put(labels, context.delayedNames, step, Number(outcome.keep));
      else if (outcome.keep) results.put(labels, false, step, outcome.value);
    }
  }
}

function joinLabels(
  many: Labels,
  one: Labels,
  { operator, returnBool, matching }: Binary,
  delayed: boolean,
): Labels {
  let labels = changesMetric(operator) || (returnBool && !delayed) ? dropMetadata(many) : many;
  if (matching.cardinality === "one-to-one") {
    labels = matching.on ? keepLabels(labels, matching.labels) : dropLabels(labels, matching.labels);
  }
  for (const name of matching.include) labels = setLabel(labels, name, one.get(name) ?? "");
  return labels;
}
