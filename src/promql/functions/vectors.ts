/** Functions of whole vectors: labels, order, presence, and the change between scalars and vectors. */
import { MESSAGES } from "../annotations.ts";
import { executionError } from "../errors.ts";
import {
  FLOAT,
  NONE,
  Row,
  type Value,
  dropNames,
  mergeRows,
  rowsOf,
  scalarOf,
  stringOf,
  timeAt,
} from "../evaluate/value.ts";
import { METRIC_NAME, NO_LABELS, isLabelName, setLabel } from "../labels.ts";
import { compareNaNLast } from "../numbers.ts";
import { RegexpError } from "../regexp/escape.ts";
import { Regexp } from "../regexp/regexp.ts";
import { type CallContext, type FunctionTable, ofValues } from "./function.ts";
import { absentLabels } from "./over-time.ts";

export const vectorFunctions: FunctionTable = {
  label_replace: ofValues(["vector", "string", "string", "string", "string"], labelReplace),
  label_join: {
    ...ofValues(["vector", "string", "string", "string"], labelJoin),
    optional: Infinity,
  },
  sort: ofValues(["vector"], (args, context) => sort(args, context, false)),
  sort_desc: ofValues(["vector"], (args, context) => sort(args, context, true)),
  absent: ofValues(["vector"], ([vector], { call, grid }) => {
    const row = new Row(absentLabels(call.args[0]!), grid.steps);
    for (let step = 0; step < grid.steps; step++) {
      if (rowsOf(vector).every(({ kinds }) => kinds[step] === NONE)) row.set(step, 1);
    }
    return { type: "vector", rows: row.isEmpty ? [] : [row] };
  }),
  scalar: ofValues(
    ["vector"],
    ([vector], { grid }) => {
      const values = new Float64Array(grid.steps).fill(Number.NaN);
      const found = new Uint8Array(grid.steps);
      for (const { kinds, floats } of rowsOf(vector)) {
        for (let step = 0; step < grid.steps; step++) {
          if (kinds[step] !== FLOAT) continue;
          values[step] = found[step] ? Number.NaN : floats[step]!;
          found[step] = 1;
        }
      }
      return { type: "scalar", values };
    },
    "scalar",
  ),
  vector: ofValues(["scalar"], ([scalar], { grid }) => {
    const row = new Row(NO_LABELS, grid.steps);
    row.floats.set(scalarOf(scalar));
    row.kinds.fill(FLOAT);
    return { type: "vector", rows: [row] };
  }),
  time: ofValues(
    [],
    (_args, { grid }) => {
      const seconds = Array.from({ length: grid.steps }, (_, step) => timeAt(grid, step) / 1000);
      return { type: "scalar", values: Float64Array.from(seconds) };
    },
    "scalar",
  ),
  /** For a selector, the evaluation has put the times of its samples in place of the values. */
  timestamp: ofValues(["vector"], ([vector], { call, grid, delayedNames }) => {
    const rows = rowsOf(vector);
    if (call.args[0]!.kind !== "selector") {
      for (const row of rows) {
        for (let step = 0; step < grid.steps; step++) {
          if (row.kinds[step] !== NONE) row.set(step, timeAt(grid, step) / 1000);
        }
      }
    }
    return { type: "vector", rows: dropNames(rows, delayedNames) };
  }),
};

function labelReplace(args: readonly Value[]): Value {
  const [target, replacement, source, pattern] = args.slice(1).map(stringOf) as [
    string,
    string,
    string,
    string,
  ];
  let regexp: Regexp;
  try {
    regexp = new Regexp(pattern);
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error;
    throw executionError(`invalid regular expression in label_replace(): ${pattern}`);
  }
  if (!isLabelName(target))
    throw executionError(`invalid destination label name in label_replace(): ${target}`);
  for (const row of rowsOf(args[0])) {
    const value = regexp.expand(row.labels.get(source) ?? "", replacement);
    if (value !== undefined) relabel(row, target, value);
  }
  return { type: "vector", rows: mergeRows(rowsOf(args[0])) };
}

function labelJoin(args: readonly Value[]): Value {
  const [target, separator, ...sources] = args.slice(1).map(stringOf) as [string, string, ...string[]];
  const wrong = sources.find((source) => !isLabelName(source));
  if (wrong !== undefined) throw executionError(`invalid source label name in label_join(): ${wrong}`);
  if (!isLabelName(target)) throw executionError(`invalid destination label name in label_join(): ${target}`);
  for (const row of rowsOf(args[0])) {
    relabel(row, target, sources.map((source) => row.labels.get(source) ?? "").join(separator));
  }
  return { type: "vector", rows: mergeRows(rowsOf(args[0])) };
}

function relabel(row: Row, name: string, value: string): void {
  row.labels = setLabel(row.labels, name, value);
  // A name that was set on purpose stays.
  if (name === METRIC_NAME) row.dropName = false;
}

function sort(
  [vector]: readonly Value[],
  { annotations, call, grid }: CallContext,
  descending: boolean,
): Value {
  if (grid.stepMs > 0) {
    annotations.warn(MESSAGES.sortInRange, call.span);
    return { type: "vector", rows: withFloats(rowsOf(vector)) };
  }
  const rows = withFloats(rowsOf(vector));
  rows.sort((a, b) => compareNaNLast(a.floats[0]!, b.floats[0]!, descending));
  return { type: "vector", rows };
}

/** The rows without their histograms, which have no order. */
function withFloats(rows: Row[]): Row[] {
  for (const { kinds } of rows) {
    for (let step = 0; step < kinds.length; step++) if (kinds[step] !== FLOAT) kinds[step] = NONE;
  }
  return rows.filter((row) => !row.isEmpty);
}
