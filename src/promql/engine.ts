/**
 * The query engine: evaluates PromQL over the series of a source, at one time or at many.
 *
 * It follows Prometheus 3: windows and look-back are open at their older end, `.` of a regular expression matches
 * newlines, native histograms are values. Experimental features are refused.
 */
import { Annotations } from "./annotations.ts";
import { type Expression, unwrap } from "./ast.ts";
import { typeOf } from "./check.ts";
import { PromqlError } from "./errors.ts";
import { Budget, DEFAULT_LIMITS, type Limits } from "./evaluate/budget.ts";
import { Evaluator } from "./evaluate/evaluator.ts";
import { loadSeries } from "./evaluate/load.ts";
import { endOf } from "./evaluate/places.ts";
import { FLOAT, type Grid, NONE, Row, type Value, mergeRows, rowsOf, timeAt } from "./evaluate/value.ts";
import type { Histogram } from "./histogram/histogram.ts";
import { type Labels, NO_LABELS, compareLabels, dropMetadata } from "./labels.ts";
import { type ParseLimits, parse } from "./parser.ts";
import type { Source } from "./source.ts";

export interface QueryOptions extends Limits, ParseLimits {
  /** How old a sample may be to count as the value of its series. 5 minutes by default. */
  lookbackMs?: number;
  /** The step of subqueries that have none. A minute by default. */
  subqueryStepMs?: number;
  /** Keeps `__name__` until the end of the query, as Prometheus does with a feature flag. Off by default. */
  delayedNameRemoval?: boolean;
}

/** A series of a result: its values at ascending times, in Unix milliseconds. */
export interface ResultSeries {
  labels: Labels;
  times: number[];
  values: (number | Histogram)[];
}

export interface Notes {
  /** What may be wrong with the query or the data, each with its place in the query. */
  warnings: string[];
  infos: string[];
}

export type InstantResult = Notes &
  (
    | { type: "scalar"; timeMs: number; value: number }
    | { type: "string"; timeMs: number; value: string }
    | { type: "vector"; timeMs: number; samples: { labels: Labels; value: number | Histogram }[] }
    | { type: "matrix"; series: ResultSeries[] }
  );

export type RangeResult = Notes & { type: "matrix"; series: ResultSeries[] };

const DEFAULT_LOOKBACK_MS = 5 * 60 * 1000;
const DEFAULT_SUBQUERY_STEP_MS = 60 * 1000;

/**
 * Evaluates a query at one time, in Unix milliseconds. A range vector at the root gives its samples as a matrix.
 *
 * @throws PromqlError with its kind. What the source throws is passed on.
 */
export async function query(
  text: string,
  timeMs: number,
  source: Source,
  options: QueryOptions = {},
): Promise<InstantResult> {
  const expression = parse(text, options);
  const grid: Grid = { startMs: timeMs, stepMs: 0, steps: 1 };
  const run = await prepare(expression, grid, timeMs, source, options);
  if (typeOf(expression) === "matrix") {
    const series = await run.readMatrix();
    return { type: "matrix", series: series.sort(byLabels), ...run.notes(text) };
  }
  const value = await run.evaluate();
  const notes = run.notes(text);
  if (value.type === "scalar") return { type: "scalar", timeMs, value: value.values[0]!, ...notes };
  if (value.type === "string") return { type: "string", timeMs, value: value.value, ...notes };
  const samples = value.rows.flatMap((row) => {
    const sample = row.get(0);
    return sample === undefined ? [] : [{ labels: row.labels, value: sample }];
  });
  return { type: "vector", timeMs, samples, ...notes };
}

/**
 * Evaluates a query at every `stepMs` from `startMs` on, up to and including `endMs`, all in Unix milliseconds.
 * A scalar gives one series without labels. The series are sorted by labels.
 *
 * @throws PromqlError with its kind. What the source throws is passed on.
 */
export async function queryRange(
  text: string,
  startMs: number,
  endMs: number,
  stepMs: number,
  source: Source,
  options: QueryOptions = {},
): Promise<RangeResult> {
  if (!(stepMs > 0)) {
    const reason = "zero or negative query resolution step widths are not accepted. Try a positive integer";
    throw new PromqlError("bad_data", reason);
  }
  if (!(endMs >= startMs)) throw new PromqlError("bad_data", "end timestamp must not be before start time");
  const { maxPoints = DEFAULT_LIMITS.maxPoints } = options;
  if ((endMs - startMs) / stepMs > maxPoints) {
    const hint = "Try decreasing the query resolution (?step=XX)";
    const limit = `exceeded maximum resolution of ${maxPoints.toLocaleString("en")} points per timeseries`;
    throw new PromqlError("bad_data", `${limit}. ${hint}`);
  }
  const expression = parse(text, options);
  const type = typeOf(expression);
  if (type !== "scalar" && type !== "vector") {
    const found = type === "matrix" ? "range vector" : type;
    const reason = `invalid expression type "${found}" for range query, must be Scalar or instant Vector`;
    throw new PromqlError("bad_data", reason);
  }
  const grid: Grid = { startMs, stepMs, steps: Math.floor((endMs - startMs) / stepMs) + 1 };
  const run = await prepare(expression, grid, endMs, source, options);
  const value = await run.evaluate();
  const rows = value.type === "scalar" ? [scalarRow(value.values)] : rowsOf(value);
  const series = rows.map((row) => toSeries(row, grid)).filter(({ times }) => times.length > 0);
  return { type: "matrix", series: series.sort(byLabels), ...run.notes(text) };
}

/** A query whose series have been read. */
interface Run {
  evaluate(): Promise<Value>;
  readMatrix(): Promise<ResultSeries[]>;
  notes(text: string): Notes;
}

async function prepare(
  root: Expression,
  grid: Grid,
  endMs: number,
  source: Source,
  options: QueryOptions,
): Promise<Run> {
  const annotations = new Annotations();
  const budget = new Budget(options);
  const lookbackMs = options.lookbackMs ?? DEFAULT_LOOKBACK_MS;
  const delayedNames = options.delayedNameRemoval ?? false;
  await budget.check();
  const ends = { start: grid.startMs, end: endMs };
  const loaded = await loadSeries(root, source, { grid, ends, lookbackMs, budget });
  const subqueryStepMs = options.subqueryStepMs ?? DEFAULT_SUBQUERY_STEP_MS;
  const settings = { lookbackMs, subqueryStepMs, ends, delayedNames, budget, annotations };
  const evaluator = new Evaluator(loaded, settings);
  return {
    async evaluate() {
      const value = await evaluator.evaluate(root, grid);
      return value.type === "vector" && delayedNames
        ? { type: "vector", rows: dropMarkedNames(value.rows) }
        : value;
    },
    async readMatrix() {
      const matrix = unwrap(root);
      if (matrix.kind !== "range" && matrix.kind !== "subquery")
        throw new Error("The root is no range vector.");
      const endMs = endOf(matrix, ends)(grid.startMs);
      const tracks = await evaluator.tracksOf(matrix, grid);
      return tracks
        .map((track) => track.cut(endMs - matrix.rangeMs, endMs))
        .filter(({ times }) => times.length > 0);
    },
    notes: (text) => ({
      warnings: annotations.print(text, "warning"),
      infos: annotations.print(text, "info"),
    }),
  };
}

function dropMarkedNames(rows: Row[]): Row[] {
  for (const row of rows) if (row.dropName) row.labels = dropMetadata(row.labels);
  return mergeRows(rows);
}

function scalarRow(values: Float64Array): Row {
  const row = new Row(NO_LABELS, values.length);
  row.floats.set(values);
  row.kinds.fill(FLOAT);
  return row;
}

function toSeries(row: Row, grid: Grid): ResultSeries {
  const series: ResultSeries = { labels: row.labels, times: [], values: [] };
  for (let step = 0; step < grid.steps; step++) {
    if (row.kinds[step] === NONE) continue;
    series.times.push(timeAt(grid, step));
    series.values.push(row.get(step)!);
  }
  return series;
}

const byLabels = (a: ResultSeries, b: ResultSeries): number => compareLabels(a.labels, b.labels);
