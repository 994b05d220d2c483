/** Finds out whether a counter of native histograms was reset between two samples. */
import { sharedBounds } from "./arithmetic.ts";
import { type Buckets, type Histogram, equalLists, exponentialBound, hasCustomBounds } from "./histogram.ts";
import { track, widen, withBounds, withSchema } from "./layout.ts";

/** A hint decides, if there is one. Otherwise the counter was reset if any count fell. */
export function isReset(current: Histogram, previous: Histogram): boolean {
  if (current.resetHint === "reset") return true;
  if (current.resetHint === "not_reset") return false;
  if (current.count < previous.count) return true;
  if (hasCustomBounds(current) !== hasCustomBounds(previous)) return true;
  if (hasCustomBounds(current)) {
    if (equalLists(current.customBounds, previous.customBounds))
      return fell(current.positive, previous.positive);
    const bounds = sharedBounds(current, previous);
    const reduce = (histogram: Histogram): Buckets => withBounds(track(histogram), bounds).histogram.positive;
    return fell(reduce(current), reduce(previous));
  }
  const { schema, zeroThreshold } = current;
  if (schema > previous.schema || zeroThreshold < previous.zeroThreshold) return true;
  const { histogram: widened } = widen(track(previous), zeroThreshold);
  if (widened.zeroThreshold !== zeroThreshold || current.zeroCount < widened.zeroCount) return true;
  const { histogram: coarse } = withSchema(track(widened), schema);
  const outside = (buckets: Buckets): Buckets => {
    const first = buckets.indexes.findIndex((index) => exponentialBound(schema, index) > zeroThreshold);
    const from = first === -1 ? buckets.indexes.length : first;
    return { indexes: buckets.indexes.slice(from), counts: buckets.counts.slice(from) };
  };
  return (
    fell(outside(current.positive), outside(coarse.positive)) ||
    fell(outside(current.negative), outside(coarse.negative))
  );
}

/** Whether any bucket of `previous` has fewer observations in `current`. */
function fell(current: Buckets, previous: Buckets): boolean {
  let at = 0;
  return previous.indexes.some((index, place) => {
    while (at < current.indexes.length && current.indexes[at]! < index) at++;
    const count = current.indexes[at] === index ? current.counts[at]! : 0;
    return count < previous.counts[place]!;
  });
}
