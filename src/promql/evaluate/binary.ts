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
import type { Histogram } from "../histogram/histogram.ts";
import { FLOAT, NONE, type Row, RowSet, type Value, dropNames, putOnce } from "./value.ts";

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

/** Combines the rows of both sides whose matching labels are equal. */
function matchGroup(binary: Binary, many: Row[], ones: Row[], results: RowSet, context: BinaryContext): void {
  const { operator, matching, returnBool } = binary;
  const swapped = matching.cardinality === "one-to-many";
  const isOneToOne = matching.cardinality === "one-to-one";
  const calculate = arithmeticOf(operator);
  /** The steps with a match: of the whole group, or of each result if several may match. */
  const matched = new Map<string, Uint8Array>();
  for (const manyRow of many) {
    for (const oneRow of ones) {
      const labels = joinLabels(manyRow.labels, oneRow.labels, binary, context.delayedNames);
      const key = isOneToOne ? "" : labelsKey(labels);
      const taken = matched.get(key) ?? new Uint8Array(context.steps);
      matched.set(key, taken);
      const [left, right] = swapped ? [oneRow, manyRow] : [manyRow, oneRow];
      let result: Row | undefined;
      for (let step = 0; step < context.steps; step++) {
        if (left.kinds[step] === NONE || right.kinds[step] === NONE) continue;
        let value: number | Histogram | undefined;
        if (calculate && left.kinds[step] === FLOAT && right.kinds[step] === FLOAT) {
          value = calculate(left.floats[step]!, right.floats[step]!);
        } else {
          const samples = [left.get(step)!, right.get(step)!] as const;
          const outcome = applyToSamples(operator, ...samples, context.annotations, binary.span);
          if (!outcome) continue;
          // A comparison that does not hold is a match all the same.
          value = returnBool ? Number(outcome.keep) : outcome.keep ? outcome.value : undefined;
        }
        if (taken[step]) throw severalMatches(isOneToOne);
        taken[step] = 1;
        if (value === undefined) continue;
        result ??= results.rowOf(labels, returnBool && context.delayedNames);
        putOnce(result, step, value);
      }
    }
  }
}

function severalMatches(isOneToOne: boolean): Error {
  const hint = isOneToOne
    ? "many-to-one matching must be explicit (group_left/group_right)"
    : "grouping labels must ensure unique matches";
  return executionError(`multiple matches for labels: ${hint}`);
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
