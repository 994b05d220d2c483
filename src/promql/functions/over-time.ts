/** Functions over the samples of a window: `…_over_time`, `changes`, `resets`, `deriv`, `predict_linear`. */
import { MESSAGES } from "../annotations.ts";
import type { Expression } from "../ast.ts";
import { NONE, Row } from "../evaluate/value.ts";
import { type Histogram, equalHistograms } from "../histogram/histogram.ts";
import { isReset } from "../histogram/resets.ts";
import { type Labels, METRIC_NAME, makeLabels } from "../labels.ts";
import { CompensatedSum } from "../numbers.ts";
import {
  type CallContext,
  type FunctionEntry,
  type FunctionTable,
  type Window,
  type WindowContext,
  countFloats,
  countHistograms,
  ofWindow,
} from "./function.ts";
import { HistogramTotal, Mean } from "./means.ts";
import { quantileOf } from "./quantile.ts";
import { isStartReset } from "./start-times.ts";

/** A function of floats, which leaves histograms out and says so. */
const ofFloats = (
  apply: (window: Window, context: WindowContext) => number,
  { minFloats = 1, cost = 1 } = {},
): FunctionEntry =>
  ofWindow(
    (window, context) => {
      const floats = countFloats(window);
      if (floats > 0 && countHistograms(window) > 0) {
        context.annotations.inform(MESSAGES.ignoredInRange(context.metricName), context.span);
      }
      return floats < minFloats ? undefined : apply(window, context);
    },
    { cost },
  );

/** A line needs two points. */
const TREND = { minFloats: 2, cost: 3 };

export const overTimeFunctions: FunctionTable = {
  avg_over_time: ofWindow((window, context) => {
    if (countHistograms(window) > 0) return totalHistograms(window, context, true);
    const mean = new Mean();
    for (let at = window.from; at < window.to; at++) mean.add(window.floats.values[at]!);
    return mean.value;
  }),
  sum_over_time: ofWindow((window, context) => {
    if (countHistograms(window) > 0) return totalHistograms(window, context, false);
    const sum = new CompensatedSum();
    for (let at = window.from; at < window.to; at++) sum.add(window.floats.values[at]!);
    return sum.total;
  }),
  count_over_time: ofWindow((window) => countFloats(window) + countHistograms(window)),
  present_over_time: ofWindow(() => 1),
  absent_over_time: ofWindow(() => 1, { finish: invert }),
  first_over_time: ofWindow(
    ({ floats, from, to, histograms, histogramFrom, histogramTo }) =>
      histogramFrom === histogramTo || (from < to && floats.times[from]! < histograms.times[histogramFrom]!)
        ? floats.values[from]
        : histograms.values[histogramFrom],
    { keepsName: true },
  ),
  last_over_time: ofWindow(
    ({ floats, from, to, histograms, histogramFrom, histogramTo }) =>
      histogramFrom === histogramTo ||
      (from < to && floats.times[to - 1]! > histograms.times[histogramTo - 1]!)
        ? floats.values[to - 1]
        : histograms.values[histogramTo - 1],
    { keepsName: true },
  ),
  max_over_time: ofFloats((window) => extreme(window, (value, best) => value > best)),
  min_over_time: ofFloats((window) => extreme(window, (value, best) => value < best)),
  stddev_over_time: ofFloats((window) => Math.sqrt(variance(window)), { cost: 3 }),
  stdvar_over_time: ofFloats(variance, { cost: 3 }),
  quantile_over_time: {
    ...ofFloats(
      (window, context) => {
        const q = window.parameter;
        if (!(q >= 0 && q <= 1)) context.annotations.warn(MESSAGES.invalidQuantile(q), context.firstSpan);
        const { floats, from, to } = window;
        return quantileOf(
          q,
          Array.from({ length: to - from }, (_, index) => floats.values[from + index]!),
        );
      },
      { cost: 15 },
    ),
    parameters: ["scalar", "matrix"],
  },
  deriv: ofFloats((window) => regression(window, window.floats.times[window.from]!).slope, TREND),
  predict_linear: {
    ...ofFloats((window) => {
      const { slope, intercept } = regression(window, window.evaluationMs);
      return slope * window.parameter + intercept;
    }, TREND),
    parameters: ["matrix", "scalar"],
  },
  changes: ofWindow((window) => countPairs(window, isChange), { cost: 3 }),
  resets: ofWindow((window) => countPairs(window, isFall), { cost: 3 }),
};

type Sample = number | Histogram;

function isChange(previous: Sample, current: Sample): boolean {
  if (typeof previous === "number" && typeof current === "number") {
    return current !== previous && !(Number.isNaN(current) && Number.isNaN(previous));
  }
  return typeof previous === "number" || typeof current === "number" || !equalHistograms(current, previous);
}

function isFall(previous: Sample, current: Sample, startReset: boolean): boolean {
  if (startReset) return true;
  if (typeof previous === "number" && typeof current === "number") return current < previous;
  return typeof previous === "number" || typeof current === "number" || isReset(current, previous);
}

function totalHistograms(window: Window, context: WindowContext, average: boolean): Histogram | undefined {
  const { annotations, metricName, span } = context;
  if (countFloats(window) > 0) {
    annotations.warn(MESSAGES.mixedSamples(metricName), span);
    return undefined;
  }
  const total = new HistogramTotal(average);
  for (let at = window.histogramFrom; at < window.histogramTo; at++) total.add(window.histograms.values[at]!);
  total.annotate(annotations, span, metricName);
  return total.value;
}

function extreme({ floats, from, to }: Window, isBetter: (value: number, best: number) => boolean): number {
  let best = floats.values[from]!;
  for (let at = from + 1; at < to; at++) {
    const value = floats.values[at]!;
    if (isBetter(value, best) || Number.isNaN(best)) best = value;
  }
  return best;
}

/** Welford's algorithm, with compensated sums. */
function variance({ floats, from, to }: Window): number {
  const mean = new CompensatedSum();
  const squares = new CompensatedSum();
  for (let at = from; at < to; at++) {
    const value = floats.values[at]!;
    const delta = value - (mean.sum + mean.compensation);
    mean.add(delta / (at - from + 1));
    squares.add(delta * (value - (mean.sum + mean.compensation)));
  }
  return (squares.sum + squares.compensation) / (to - from);
}

/** The line of least squares: its slope per second, and its value at a time. */
function regression({ floats, from, to }: Window, atMs: number): { slope: number; intercept: number } {
  const [sumX, sumY, sumXY, sumXX] = [0, 0, 0, 0].map(() => new CompensatedSum());
  const first = floats.values[from]!;
  let isConstant = true;
  for (let at = from; at < to; at++) {
    const y = floats.values[at]!;
    const x = (floats.times[at]! - atMs) / 1000;
    if (y !== first) isConstant = false;
    sumX!.add(x);
    sumY!.add(y);
    sumXY!.add(x * y);
    sumXX!.add(x * x);
  }
  if (isConstant)
    return Number.isFinite(first)
      ? { slope: 0, intercept: first }
      : { slope: Number.NaN, intercept: Number.NaN };
  const count = to - from;
  const [x, y, xy, xx] = [sumX, sumY, sumXY, sumXX].map((sum) => sum!.sum + sum!.compensation) as [
    number,
    number,
    number,
    number,
  ];
  const slope = (xy - (x * y) / count) / (xx - (x * x) / count);
  return { slope, intercept: y / count - (slope * x) / count };
}

/** Counts neighbours in the window, floats and histograms in the order of time, that the test accepts. */
function countPairs(
  { floats, from, to, histograms, histogramFrom, histogramTo }: Window,
  isCounted: (previous: Sample, current: Sample, startReset: boolean) => boolean,
): number {
  let [at, histogramAt, count] = [from, histogramFrom, 0];
  let previous: Sample | undefined;
  let [previousMs, previousStartMs] = [0, 0];
  while (at < to || histogramAt < histogramTo) {
    const isFloat =
      histogramAt === histogramTo || (at < to && floats.times[at]! < histograms.times[histogramAt]!);
    const samples = isFloat ? floats : histograms;
    const index = isFloat ? at++ : histogramAt++;
    const current = samples.values[index]!;
    const timeMs = samples.times[index]!;
    const startMs = samples.startTimes?.[index] ?? 0;
    if (previous !== undefined) {
      const startReset =
        (typeof previous === "number") === isFloat &&
        isStartReset(previousStartMs, previousMs, startMs, timeMs);
      if (isCounted(previous, current, startReset)) count++;
    }
    [previous, previousMs, previousStartMs] = [current, timeMs, startMs];
  }
  return count;
}

/** Makes one series with 1 at the steps where none of the series has a value. */
function invert(rows: Row[], _inputs: readonly Labels[], { call, grid }: CallContext): Row[] {
  const row = new Row(absentLabels(call.args[0]!), grid.steps);
  for (let step = 0; step < grid.steps; step++) {
    if (rows.every(({ kinds }) => kinds[step] === NONE)) row.set(step, 1);
  }
  return row.isEmpty ? [] : [row];
}

/** The labels that a selector fixes to one value. */
export function absentLabels(selected: Expression): Labels {
  const selector = selected.kind === "range" ? selected.selector : selected;
  if (selector.kind !== "selector") return makeLabels({});
  const fixed = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name, operator, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (operator === "=" && !seen.has(name)) {
      fixed.set(name, value);
      seen.add(name);
    } else fixed.delete(name);
  }
  return makeLabels(fixed);
}
