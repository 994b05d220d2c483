/** Applies a function to the samples in a window before each step. */
import type { Histogram } from "../histogram/histogram.ts";
import { combine, divide } from "../histogram/arithmetic.ts";
import type { CallContext, Window, WindowBody, WindowContext } from "../functions/function.ts";
import { dropMetadata, metricName } from "../labels.ts";
import type { Integral } from "../source.ts";
import type { Budget } from "./budget.ts";
import { type Track, advance } from "./track.ts";
import { Row, duplicateSeries, mergeRows, timeAt } from "./value.ts";

/** Where the windows of a range vector are. */
export interface WindowPlace {
  rangeMs: number;
  /** The end of the window for an evaluation at this time. Must not fall when the time rises. */
  endOf: (timeMs: number) => number;
}

export async function applyWindows(
  body: WindowBody,
  tracks: readonly Track[],
  place: WindowPlace,
  parameters: Float64Array | undefined,
  context: CallContext,
  budget: Budget,
): Promise<Row[]> {
  const rows: Row[] = [];
  const inputs = [];
  for (const track of tracks) {
    if (budget.isCheckDue) await budget.check();
    const row = applyToTrack(body, track, place, parameters, context, budget);
    if (row.isEmpty) continue;
    budget.hold(row.size);
    row.dropName = track.dropName;
    if (!body.keepsName) {
      if (context.delayedNames) row.dropName = true;
      else row.labels = dropMetadata(row.labels);
    }
    rows.push(row);
    inputs.push(track.labels);
  }
  const finished = body.finish ? body.finish(rows, inputs, context) : rows;
  if (!context.delayedNames && mergeRows(finished) !== finished) throw duplicateSeries();
  return finished;
}

function applyToTrack(
  body: WindowBody,
  track: Track,
  { rangeMs, endOf }: WindowPlace,
  parameters: Float64Array | undefined,
  { grid, call, annotations }: CallContext,
  budget: Budget,
): Row {
  const { cost = 1 } = body;
  budget.spend(grid.steps);
  const row = new Row(track.labels, grid.steps);
  if (body.ofIntegral && track.integral) {
    for (let step = 0; step < grid.steps; step++) {
      const value = increaseOf(track.integral, endOf(timeAt(grid, step)), rangeMs, body.ofIntegral);
      if (value !== undefined) row.set(step, value);
    }
    return row;
  }
  const { floats, histograms } = track.kinds;
  const windowContext: WindowContext = {
    annotations,
    metricName: metricName(track.labels),
    span: call.args.find(({ kind }) => kind === "range" || kind === "subquery")!.span,
    firstSpan: call.args[0]!.span,
  };
  const window: Window = {
    startMs: 0,
    endMs: 0,
    evaluationMs: 0,
    rangeSeconds: rangeMs / 1000,
    floats,
    from: 0,
    to: 0,
    histograms,
    histogramFrom: 0,
    histogramTo: 0,
    parameter: 0,
  };
  for (let step = 0; step < grid.steps; step++) {
    window.evaluationMs = timeAt(grid, step);
    window.endMs = endOf(window.evaluationMs);
    window.startMs = window.endMs - rangeMs;
    window.to = advance(floats.times, window.to, window.endMs);
    window.from = advance(floats.times, window.from, window.startMs);
    window.histogramTo = advance(histograms.times, window.histogramTo, window.endMs);
    window.histogramFrom = advance(histograms.times, window.histogramFrom, window.startMs);
    const count = window.to - window.from + (window.histogramTo - window.histogramFrom);
    if (count === 0) continue;
    budget.spend(count * cost);
    if (parameters) window.parameter = parameters[step]!;
    const value = body.apply(window, windowContext);
    if (value !== undefined) row.set(step, value);
  }
  return row;
}

/** The exact increase of an integral series over a window, or that per second. Nothing before it began. */
function increaseOf(
  integral: Integral,
  endMs: number,
  rangeMs: number,
  form: "increase" | "rate",
): number | Histogram | undefined {
  if (endMs < integral.fromMs) return undefined;
  const after = integral.valueAt(endMs);
  const before = integral.valueAt(endMs - rangeMs);
  const seconds = form === "rate" ? rangeMs / 1000 : 1;
  if (typeof after === "number" && typeof before === "number") return (after - before) / seconds;
  if (typeof after === "number" || typeof before === "number") return undefined;
  const difference = combine(after, before, -1)?.histogram;
  return difference && { ...divide(difference, seconds), resetHint: "gauge" };
}
