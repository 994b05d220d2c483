/** `rate`, `increase`, `delta`, `irate` and `idelta`: how a value changes within a window. */
import { MESSAGES } from "../annotations.ts";
import { FLOAT, type Row } from "../evaluate/value.ts";
import { combine, divide, scale } from "../histogram/arithmetic.ts";
import { type Histogram, compact } from "../histogram/histogram.ts";
import { isReset } from "../histogram/resets.ts";
import { type Labels, metricName } from "../labels.ts";
import {
  type CallContext,
  type FunctionTable,
  type Window,
  type WindowContext,
  countFloats,
  countHistograms,
  ofWindow,
} from "./function.ts";
import { counterIncrease, histogramChange } from "./increase.ts";
import { isStartReset } from "./start-times.ts";

export const rateFunctions: FunctionTable = {
  rate: ofWindow((window, context) => extrapolated(window, context, true, true), {
    ofIntegral: "rate",
    finish: warnOfNonCounters,
  }),
  increase: ofWindow((window, context) => extrapolated(window, context, true, false), {
    ofIntegral: "increase",
    finish: warnOfNonCounters,
  }),
  delta: ofWindow((window, context) => extrapolated(window, context, false, false), {
    ofIntegral: "increase",
  }),
  irate: ofWindow((window, context) => ofLastTwo(window, context, true), { ofIntegral: "rate" }),
  idelta: ofWindow((window, context) => ofLastTwo(window, context, false)),
};

/**
 * The change between the first and the last sample, extrapolated to the edges of the window: all the way if the edge
 * is nearer than 1.1 times the mean distance of samples, else by half of that distance; a counter not below zero.
 */
function extrapolated(
  window: Window,
  context: WindowContext,
  isCounter: boolean,
  perSecond: boolean,
): number | Histogram | undefined {
  const { annotations, metricName, span } = context;
  const floats = countFloats(window);
  const histograms = countHistograms(window);
  if (floats > 0 && histograms > 0) {
    annotations.warn(MESSAGES.mixedSamples(metricName), span);
    return undefined;
  }
  const samples = floats > 0 ? window.floats : window.histograms;
  const first = floats > 0 ? window.from : window.histogramFrom;
  const last = (floats > 0 ? window.to : window.histogramTo) - 1;
  const firstMs = samples.times[first]!;
  const lastMs = samples.times[last]!;
  const firstValue = samples.values[first]!;

  let change: number | Histogram | undefined;
  if (floats > 0) {
    change = isCounter
      ? counterIncrease(window, context)
      : window.floats.values[last]! - window.floats.values[first]!;
  } else if (last > first) {
    change = histogramChange(window, context, isCounter);
    if (!change) return undefined;
  }

  let sampledSeconds = (lastMs - firstMs) / 1000;
  const spacing = last > first ? sampledSeconds / (last - first) : 0;
  const threshold = spacing * 1.1;
  let toStart = (firstMs - window.startMs) / 1000;
  let toEnd = (window.endMs - lastMs) / 1000;
  const startMs = isCounter ? (samples.startTimes?.[first] ?? 0) : 0;
  if (startMs !== 0 && startMs > window.startMs && startMs < firstMs) {
    // The counter began within the window, at 0. That is better than to extrapolate.
    toStart = 0;
    sampledSeconds = (lastMs - startMs) / 1000;
    change = addFirst(change, firstValue);
  } else if (last === first) return undefined;
  else {
    if (toStart >= threshold) toStart = spacing / 2;
    if (isCounter) {
      // Where the slope reaches 0, the counter must have begun.
      const [from, rise] = [countOf(firstValue), countOf(change!)];
      if (rise > 0 && from >= 0) toStart = Math.min(toStart, sampledSeconds * (from / rise));
    }
  }
  if (toEnd >= threshold) toEnd = spacing / 2;
  let factor = sampledSeconds === 0 ? 1 : (sampledSeconds + toStart + toEnd) / sampledSeconds;
  if (perSecond) factor /= window.rangeSeconds;
  return typeof change === "number" ? change * factor : scale(change!, factor);
}

const countOf = (value: number | Histogram): number => (typeof value === "number" ? value : value.count);

function addFirst(
  change: number | Histogram | undefined,
  first: number | Histogram,
): number | Histogram | undefined {
  if (typeof first === "number") return (typeof change === "number" ? change : 0) + first;
  return typeof change === "object" ? combine(change, first, 1)?.histogram : first;
}

/** The difference of the last two samples, whatever their kinds are. */
function ofLastTwo(window: Window, context: WindowContext, isRate: boolean): number | Histogram | undefined {
  const { annotations, metricName, span } = context;
  const [previous, current] = lastTwo(window);
  if (!previous || !current || current.timeMs === previous.timeMs) return undefined;
  const seconds = (current.timeMs - previous.timeMs) / 1000;
  const startReset = isStartReset(previous.startMs, previous.timeMs, current.startMs, current.timeMs);
  const [a, b] = [previous.value, current.value];
  if (typeof a === "number" && typeof b === "number") {
    const difference = isRate && (b < a || startReset) ? b : b - a;
    return isRate ? difference / seconds : difference;
  }
  if (typeof a === "number" || typeof b === "number") {
    annotations.warn(MESSAGES.mixedSamples(metricName), span);
    return undefined;
  }
  const gauges = [a, b].filter(({ resetHint }) => resetHint === "gauge").length;
  if (isRate && gauges > 0) annotations.warn(MESSAGES.notCounter(metricName), span);
  if (!isRate && gauges < 2) annotations.warn(MESSAGES.notGauge(metricName), span);
  let difference: Histogram = b;
  if (!isRate || (!startReset && !isReset(b, a))) {
    const combination = combine(b, a, -1);
    if (!combination) {
      annotations.warn(MESSAGES.mixedBuckets(metricName), span);
      return undefined;
    }
    if (combination.boundsReconciled) annotations.inform(MESSAGES.boundsReconciled("subtraction"), span);
    difference = combination.histogram;
  }
  const gauge: Histogram = { ...compact(difference), resetHint: "gauge" };
  return isRate ? divide(gauge, seconds) : gauge;
}

interface Sample {
  value: number | Histogram;
  timeMs: number;
  startMs: number;
}

function lastTwo(window: Window): Sample[] {
  const found: Sample[] = [];
  const collect = ({ floats, histograms }: Window): void => {
    for (const [samples, from, to] of [
      [floats, window.from, window.to] as const,
      [histograms, window.histogramFrom, window.histogramTo] as const,
    ]) {
      for (let at = Math.max(from, to - 2); at < to; at++) {
        found.push({
          value: samples.values[at]!,
          timeMs: samples.times[at]!,
          startMs: samples.startTimes?.[at] ?? 0,
        });
      }
    }
  };
  collect(window);
  return found.sort((a, b) => a.timeMs - b.timeMs).slice(-2);
}

const COUNTER_NAME = /_(total|sum|count|bucket)$/;

function warnOfNonCounters(
  rows: Row[],
  inputs: readonly Labels[],
  { annotations, call }: CallContext,
): Row[] {
  for (const [index, row] of rows.entries()) {
    const name = metricName(inputs[index]!);
    if (name !== "" && !COUNTER_NAME.test(name) && row.kinds.includes(FLOAT)) {
      annotations.inform(MESSAGES.possibleNonCounter(name), call.args[0]!.span);
    }
  }
  return rows;
}
