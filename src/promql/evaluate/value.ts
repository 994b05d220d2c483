/** The values that expressions have while a query runs: one for each step of a grid of times. */
import { executionError } from "../errors.ts";
import { type Histogram, sizeOfHistogram } from "../histogram/histogram.ts";
import { type Labels, dropMetadata, labelsKey } from "../labels.ts";
import type { Budget } from "./budget.ts";

/** The evaluation times: `steps` of them, `stepMs` apart. An instant query has one, and 0 for `stepMs`. */
export interface Grid {
  readonly startMs: number;
  readonly stepMs: number;
  readonly steps: number;
}

/** What `@ start()` and `@ end()` stand for. The end need not be the last step. */
export interface QueryEnds {
  readonly start: number;
  readonly end: number;
}

export const timeAt = (grid: Grid, step: number): number => grid.startMs + step * grid.stepMs;

export const NONE = 0;
export const FLOAT = 1;
export const HISTOGRAM = 2;

/** One series on the grid. A step holds a number, a histogram, or nothing. */
export class Row {
  labels: Labels;
  /** The name is dropped when the query ends, not at once. Only with delayed removal of names. */
  dropName: boolean;
  /** What each step holds: NONE, FLOAT or HISTOGRAM. */
  readonly kinds: Uint8Array;
  readonly floats: Float64Array;
  histograms: (Histogram | undefined)[] | undefined;

  constructor(labels: Labels, steps: number, dropName = false) {
    this.labels = labels;
    this.dropName = dropName;
    this.kinds = new Uint8Array(steps);
    this.floats = new Float64Array(steps);
    this.histograms = undefined;
  }

  set(step: number, value: number | Histogram): void {
    if (typeof value === "number") {
      this.kinds[step] = FLOAT;
      this.floats[step] = value;
    } else {
      this.kinds[step] = HISTOGRAM;
      this.histograms ??= [];
      this.histograms[step] = value;
    }
  }

  get(step: number): number | Histogram | undefined {
    const kind = this.kinds[step];
    return kind === FLOAT ? this.floats[step] : kind === HISTOGRAM ? this.histograms![step] : undefined;
  }

  /** About how many samples' room the row takes. */
  get size(): number {
    const { histograms } = this;
    return (
      this.kinds.length +
      (histograms ? histograms.reduce((sum, one) => sum + (one ? sizeOfHistogram(one) : 0), 0) : 0)
    );
  }

  get isEmpty(): boolean {
    return this.kinds.every((kind) => kind === NONE);
  }
}

export type Value =
  | { type: "scalar"; values: Float64Array }
  | { type: "vector"; rows: Row[] }
  | { type: "string"; value: string };

/** About how many samples' room a value takes. */
export function sizeOf(value: Value): number {
  if (value.type === "scalar") return value.values.length;
  return rowsOf(value).reduce((sum, row) => sum + row.size, 0);
}

export const rowsOf = (value: Value | undefined): Row[] => (value?.type === "vector" ? value.rows : []);
export const scalarOf = (value: Value | undefined): Float64Array =>
  value?.type === "scalar" ? value.values : new Float64Array();
export const stringOf = (value: Value | undefined): string => (value?.type === "string" ? value.value : "");

/** Rows by label set. Putting a second value at a step of one label set is an error of the query. */
export class RowSet {
  private readonly rows = new Map<string, Row>();
  private readonly steps: number;
  private readonly budget: Budget;

  constructor(steps: number, budget: Budget) {
    this.steps = steps;
    this.budget = budget;
  }

  /** The row of a label set, which is made if need be. */
  rowOf(labels: Labels, dropName: boolean): Row {
    const key = labelsKey(labels);
    let row = this.rows.get(key);
    if (!row) {
      this.budget.hold(this.steps);
      row = new Row(labels, this.steps, dropName);
      this.rows.set(key, row);
    }
    return row;
  }

  put(labels: Labels, dropName: boolean, step: number, value: number | Histogram): void {
    putOnce(this.rowOf(labels, dropName), step, value);
  }

  list(): Row[] {
    return [...this.rows.values()];
  }
}

/** Sets a value where none is yet. */
export function putOnce(row: Row, step: number, value: number | Histogram): void {
  if (row.kinds[step] !== NONE) throw duplicateSeries();
  row.set(step, value);
}

/** Joins rows of one label set, whose values must not be at the same step. */
export function mergeRows(rows: Row[]): Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const key = labelsKey(row.labels);
    const first = merged.get(key);
    if (!first) {
      merged.set(key, row);
      continue;
    }
    for (let step = 0; step < row.kinds.length; step++) {
      if (row.kinds[step] === NONE) continue;
      putOnce(first, step, row.get(step)!);
    }
  }
  return merged.size === rows.length ? rows : [...merged.values()];
}

/** Drops the names of rows now, or marks them for later, and joins rows that become one. */
export function dropNames(rows: Row[], delayed: boolean): Row[] {
  for (const row of rows) {
    if (delayed) row.dropName = true;
    else row.labels = dropMetadata(row.labels);
  }
  return delayed ? rows : mergeRows(rows);
}

export const duplicateSeries = (): Error =>
  executionError("vector cannot contain metrics with the same labelset");

/** Repeats the value at the only step for so many steps. */
export function spread(value: Value, steps: number): Value {
  if (value.type === "scalar")
    return { type: "scalar", values: new Float64Array(steps).fill(value.values[0]!) };
  const rows = rowsOf(value).map((row) => {
    const long = new Row(row.labels, steps, row.dropName);
    const only = row.get(0);
    if (only !== undefined) for (let step = 0; step < steps; step++) long.set(step, only);
    return long;
  });
  return value.type === "vector" ? { type: "vector", rows } : value;
}
