/** The increase of a counter between the first and the last sample of a window, across resets. */
import { MESSAGES } from "../annotations.ts";
import { combine } from "../histogram/arithmetic.ts";
import { EMPTY_HISTOGRAM, type Histogram, compact, hasCustomBounds } from "../histogram/histogram.ts";
import { track, withSchema } from "../histogram/layout.ts";
import { isReset } from "../histogram/resets.ts";
import type { Window, WindowContext } from "./function.ts";
import { isStartReset, overlapsStart } from "./start-times.ts";

/** The increase of a counter of floats: the difference of first and last, and the value before each fall. */
export function counterIncrease({ floats, from, to }: Window, context: WindowContext): number {
  const { times, values, startTimes } = floats;
  let increase = values[to - 1]! - values[from]!;
  let previous = values[from]!;
  for (let at = from + 1; at < to; at++) {
    const current = values[at]!;
    if (current < previous || (startTimes && startReset(startTimes, times, at))) increase += previous;
    previous = current;
  }
  warnOfOverlap(startTimes, times, from, to, context);
  return increase;
}

const startReset = (starts: ArrayLike<number>, times: ArrayLike<number>, at: number): boolean =>
  isStartReset(starts[at - 1]!, times[at - 1]!, starts[at]!, times[at]!);

function warnOfOverlap(
  starts: ArrayLike<number> | undefined,
  times: ArrayLike<number>,
  from: number,
  to: number,
  { annotations, metricName, span }: WindowContext,
): void {
  if (!starts) return;
  for (let at = from + 1; at < to; at++) {
    if (!overlapsStart(starts[at - 1]!, times[at - 1]!, starts[at]!)) continue;
    annotations.warn(MESSAGES.startTimeOverlap(metricName), span);
    return;
  }
}

/** The same for native histograms, or their plain difference. Undefined if their buckets do not fit together. */
export function histogramChange(
  { histograms, histogramFrom, histogramTo }: Window,
  context: WindowContext,
  isCounter: boolean,
): Histogram | undefined {
  const { annotations, metricName, span } = context;
  const { times, values, startTimes } = histograms;
  const fail = (): undefined => annotations.warn(MESSAGES.mixedBuckets(metricName), span) as undefined;
  const last = values[histogramTo - 1]!;
  const second = values[histogramFrom + 1]!;
  const wasReset = (at: number, previous: Histogram): boolean =>
    (startTimes !== undefined && startReset(startTimes, times, at)) || isReset(values[at]!, previous);

  let first = values[histogramFrom]!;
  const isGauge = (histogram: Histogram): boolean => histogram.resetHint === "gauge";
  if (isCounter && (isGauge(first) || isGauge(last))) annotations.warn(MESSAGES.notCounter(metricName), span);
  // After a reset right behind the first sample, that sample says nothing, so its buckets need not fit either.
  if (isCounter && wasReset(histogramFrom + 1, first)) {
    first = { ...EMPTY_HISTOGRAM, schema: second.schema, customBounds: second.customBounds };
  }
  if (hasCustomBounds(first) !== hasCustomBounds(last)) return fail();
  let schema = Math.min(first.schema, last.schema);
  if (isCounter) {
    for (let at = histogramFrom + 1; at < histogramTo - 1; at++) {
      const between = values[at]!;
      if (isGauge(between)) annotations.warn(MESSAGES.notCounter(metricName), span);
      schema = Math.min(schema, between.schema);
      if (hasCustomBounds(between) !== hasCustomBounds(first)) return fail();
    }
  }
  const addTo = (sum: Histogram, other: Histogram, sign: 1 | -1): Histogram | undefined => {
    const combination = combine(sum, other, sign);
    if (combination?.boundsReconciled) {
      annotations.inform(MESSAGES.boundsReconciled(sign === 1 ? "addition" : "subtraction"), span);
    }
    return combination?.histogram;
  };
  let change = addTo(withSchema(track(last), schema).histogram, first, -1);
  if (isCounter) {
    let previous = first;
    for (let at = histogramFrom + 1; at < histogramTo && change; at++) {
      if (wasReset(at, previous)) change = addTo(change, previous, 1);
      previous = values[at]!;
    }
    warnOfOverlap(startTimes, times, histogramFrom, histogramTo, context);
  } else if (!isGauge(values[histogramFrom]!) || !isGauge(last)) {
    annotations.warn(MESSAGES.notGauge(metricName), span);
  }
  return change ? { ...compact(change), resetHint: "gauge" } : fail();
}
