/** Evaluates an expression for all steps of a grid at once, from the leaves of the tree to its root. */
import type { Annotations } from "../annotations.ts";
import type {
  Aggregation,
  Binary,
  Call,
  Expression,
  MatrixSelector,
  Subquery,
  VectorSelector,
} from "../ast.ts";
import { unwrap } from "../ast.ts";
import { typeOf } from "../check.ts";
import type { CallContext } from "../functions/function.ts";
import { mapFloats } from "../functions/math.ts";
import { FUNCTIONS } from "../functions/registry.ts";
import { scale } from "../histogram/arithmetic.ts";
import type { Histogram } from "../histogram/histogram.ts";
import { dropLabels, METRIC_NAME } from "../labels.ts";
import { isSetOperator } from "../operators.ts";
import { aggregateRows } from "./aggregate.ts";
import { vectorWithScalar, vectorWithVector } from "./binary.ts";
import type { Budget } from "./budget.ts";
import { applyToNumbers } from "./elements.ts";
import { isStepInvariant } from "./invariant.ts";
import type { Loaded } from "./load.ts";
import { endOf, shiftOf, subqueryGrid } from "./places.ts";
import { applySetOperator } from "./sets.ts";
import { Track, sampleTrack, trackOfRow } from "./track.ts";
import {
  FLOAT,
  type Grid,
  HISTOGRAM,
  NONE,
  type QueryEnds,
  Row,
  type Value,
  dropNames,
  rowsOf,
  scalarOf,
  sizeOf,
  spread,
  timeAt,
} from "./value.ts";
import { applyWindows } from "./windows.ts";

export interface EvaluationOptions {
  lookbackMs: number;
  subqueryStepMs: number;
  ends: QueryEnds;
  delayedNames: boolean;
  budget: Budget;
  annotations: Annotations;
}

export class Evaluator {
  private readonly loaded: Loaded;
  private readonly options: EvaluationOptions;

  constructor(loaded: Loaded, options: EvaluationOptions) {
    this.loaded = loaded;
    this.options = options;
  }

  async evaluate(expression: Expression, grid: Grid): Promise<Value> {
    const { budget } = this.options;
    await budget.check();
    const { held } = budget;
    const value = await this.evaluateNode(expression, grid);
    // Its operands are garbage now.
    budget.releaseTo(held);
    budget.hold(sizeOf(value));
    return value;
  }

  private async evaluateNode(expression: Expression, grid: Grid): Promise<Value> {
    if (grid.steps > 1 && isStepInvariant(expression)) {
      const value = await this.evaluate(expression, { ...grid, steps: 1 });
      this.options.budget.hold(sizeOf(value) * grid.steps);
      return spread(value, grid.steps);
    }
    switch (expression.kind) {
      case "number":
        return { type: "scalar", values: new Float64Array(grid.steps).fill(expression.value) };
      case "string":
        return { type: "string", value: expression.value };
      case "parentheses":
        return this.evaluate(expression.inner, grid);
      case "selector":
        return { type: "vector", rows: this.select(expression, grid, false) };
      case "unary":
        return this.negate(expression, await this.evaluate(expression.inner, grid));
      case "binary":
        return this.binary(expression, grid);
      case "aggregation":
        return this.aggregate(expression, grid);
      case "call":
        return this.call(expression, grid);
      case "range":
      case "subquery":
        throw new Error("A range vector has no value at a single time.");
    }
  }

  /** The series of a range vector, with the samples of all windows. */
  async tracksOf(expression: MatrixSelector | Subquery, grid: Grid): Promise<Track[]> {
    if (expression.kind === "range") return this.loaded.get(expression.selector)!;
    const inner = subqueryGrid(expression, grid, this.options);
    if (inner.steps <= 0) return [];
    // Fails before anything of that length is made.
    this.options.budget.hold(inner.steps);
    const rows = rowsOf(await this.evaluate(expression.inner, inner));
    return rows.map((row) => trackOfRow(row, inner));
  }

  private select(selector: VectorSelector, grid: Grid, asTime: boolean): Row[] {
    const { budget, lookbackMs } = this.options;
    const shift = shiftOf(selector, this.options.ends);
    const rows: Row[] = [];
    for (const track of this.loaded.get(selector)!) {
      budget.spend(grid.steps);
      const row = sampleTrack(track, grid, shift, lookbackMs, asTime);
      if (row.isEmpty) continue;
      budget.hold(row.size);
      rows.push(row);
    }
    return rows;
  }

  private negate({ operator }: { operator: "+" | "-" }, value: Value): Value {
    if (operator === "+") return value;
    if (value.type === "scalar") return { type: "scalar", values: value.values.map((number) => -number) };
    const rows = rowsOf(value);
    for (const row of rows) {
      for (let step = 0; step < row.kinds.length; step++) {
        if (row.kinds[step] === FLOAT) row.floats[step] = -row.floats[step]!;
        else if (row.kinds[step] === HISTOGRAM) row.set(step, scale(row.histograms![step]!, -1));
      }
    }
    return { type: "vector", rows: dropNames(rows, this.options.delayedNames) };
  }

  private async binary(binary: Binary, grid: Grid): Promise<Value> {
    const left = await this.evaluate(binary.left, grid);
    const right = await this.evaluate(binary.right, grid);
    const { annotations, budget, delayedNames } = this.options;
    budget.spendRows(1 + rowsOf(left).length + rowsOf(right).length, grid.steps);
    const context = { annotations, budget, delayedNames, steps: grid.steps };
    if (left.type === "scalar" && right.type === "scalar") {
      const values = left.values.map((value, step) =>
        applyToNumbers(binary.operator, value, right.values[step]!),
      );
      return { type: "scalar", values };
    }
    if (left.type === "scalar") return vectorWithScalar(binary, rowsOf(right), left.values, true, context);
    if (right.type === "scalar") return vectorWithScalar(binary, rowsOf(left), right.values, false, context);
    return isSetOperator(binary.operator)
      ? applySetOperator(binary.operator, binary.matching, rowsOf(left), rowsOf(right), grid.steps)
      : vectorWithVector(binary, rowsOf(left), rowsOf(right), context);
  }

  private async aggregate(aggregation: Aggregation, grid: Grid): Promise<Value> {
    const { annotations, budget } = this.options;
    const parameter = aggregation.parameter && (await this.evaluate(aggregation.parameter, grid));
    const rows = rowsOf(await this.evaluate(aggregation.inner, grid));
    budget.spendRows(rows.length, grid.steps);
    const context = { annotations, budget, steps: grid.steps };
    return { type: "vector", rows: aggregateRows(aggregation, rows, parameter, context) };
  }

  private async call(call: Call, grid: Grid): Promise<Value> {
    const { annotations, budget, delayedNames, ends } = this.options;
    const { body } = FUNCTIONS[call.name]!;
    const context: CallContext = {
      call: { ...call, args: call.args.map(unwrap) },
      grid,
      annotations,
      delayedNames,
      budget,
    };
    if (body.kind === "window") {
      const range = context.call.args.find((arg) => arg.kind === "range" || arg.kind === "subquery")!;
      const other = call.args.find((arg) => typeOf(arg) === "scalar");
      const parameters = other && scalarOf(await this.evaluate(other, grid));
      const tracks = await this.tracksOf(range, grid);
      const place = { rangeMs: range.rangeMs, endOf: endOf(range, ends) };
      return { type: "vector", rows: await applyWindows(body, tracks, place, parameters, context, budget) };
    }
    const args = await this.arguments(context.call, grid);
    const before = args.reduce((count, arg) => count + rowsOf(arg).length, 0);
    budget.spendRows(1 + before, grid.steps);
    switch (body.kind) {
      case "numbers":
        return mapFloats(args[0], delayedNames, body.map);
      case "histograms":
        return this.mapHistograms(rowsOf(args[0]), body.map);
      case "values":
        return body.apply(args, context);
    }
  }

  private async arguments(call: Call, grid: Grid): Promise<Value[]> {
    const [first] = call.args;
    if (call.name === "timestamp" && first?.kind === "selector") {
      return [{ type: "vector", rows: this.select(first, grid, true) }];
    }
    if (call.args.length === 0 && FUNCTIONS[call.name]!.parameters[0] === "vector") {
      // Functions of dates take the time of the evaluation if they have no argument.
      const row = new Row(new Map(), grid.steps);
      for (let step = 0; step < grid.steps; step++) row.set(step, timeAt(grid, step) / 1000);
      return [{ type: "vector", rows: [row] }];
    }
    const values: Value[] = [];
    for (const arg of call.args) values.push(await this.evaluate(arg, grid));
    return values;
  }

  private mapHistograms(rows: Row[], map: (histogram: Histogram) => number): Value {
    const { delayedNames } = this.options;
    for (const row of rows) {
      for (let step = 0; step < row.kinds.length; step++) {
        if (row.kinds[step] === HISTOGRAM) row.set(step, map(row.histograms![step]!));
        else row.kinds[step] = NONE;
      }
      row.histograms = undefined;
      if (!delayedNames) row.labels = dropLabels(row.labels, [METRIC_NAME]);
    }
    return { type: "vector", rows: dropNames(rows, delayedNames) };
  }
}
