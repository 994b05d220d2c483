/**
 * Converts a sender's buckets into ours.
 *
 * A bucket that lies within one of ours goes there. A wider one is spread over the buckets of ours that it covers, in whole
 * counts that add up, as if its durations were spread evenly between its bounds.
 */
import { bucketIndex, bucketLowerBound, type Buckets, MAX_BUCKET, MIN_BUCKET } from "./histogram.ts";
import { type ExplicitLayout, type ExponentialLayout, isExponential, type SourceHistogram } from "./point.ts";

/** The scale of our own buckets, which are in milliseconds. */
const SCALE = 5;

/** The counts of measured durations. */
export function bucketsOf(histogram: SourceHistogram): Buckets {
  const { layout, counts } = histogram;
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  const buckets: Buckets = [];
  for (let i = first; i >= 0 && i <= last; i++) {
    if (counts[i] === 0) continue;
    if (isExponential(layout) && layout.unitMs === 1 && layout.scale >= SCALE) {
      // Exact: buckets of a finer scale divide those of a coarser one.
      buckets.push(within((layout.offset + i) / 2 ** (layout.scale - SCALE)), counts[i]!);
      continue;
    }
    const bounds = boundsOf(layout, i);
    // The shortest duration is in the first bucket that is not empty, and the longest in the last one.
    const { minMs, maxMs } = histogram;
    const low =
      i === first && minMs !== null && minMs < bounds.high ? Math.max(bounds.low, minMs) : bounds.low;
    const high = i === last && maxMs !== null && maxMs > low ? Math.min(bounds.high, maxMs) : bounds.high;
    spread(buckets, low, high, counts[i]!);
  }
  return buckets;
}

/** The sum of durations whose sender does not tell it, from the middles of their buckets. Whole microseconds. */
export function estimatedSumUs(histogram: SourceHistogram): number {
  const buckets = bucketsOf(histogram);
  let sumUs = 0;
  for (let i = 0; i < buckets.length; i += 2) {
    sumUs += bucketLowerBound(buckets[i]! + 0.5) * 1e3 * buckets[i + 1]!;
  }
  return Math.round(sumUs);
}

function boundsOf(layout: ExplicitLayout | ExponentialLayout, i: number): { low: number; high: number } {
  if (isExponential(layout)) {
    const { scale, offset, unitMs } = layout;
    const bound = (index: number) => 2 ** (index * 2 ** -scale) * unitMs;
    return { low: bound(offset + i), high: bound(offset + i + 1) };
  }
  const { boundsMs } = layout;
  return { low: Math.max(0, boundsMs[i - 1] ?? 0), high: boundsMs[i] ?? Infinity };
}

function spread(buckets: Buckets, low: number, high: number, count: number): void {
  const first = low > 0 ? within(bucketIndex(low) + 1) : MIN_BUCKET;
  // Above the last bound of explicit buckets, nothing tells how long.
  const last = Number.isFinite(high) ? (high > 0 ? within(bucketIndex(high)) : MIN_BUCKET) : first;
  if (last <= first) {
    const middle = low > 0 && Number.isFinite(high) ? bucketIndex(Math.sqrt(low) * Math.sqrt(high)) : last;
    buckets.push(within(last < first ? middle : first), count);
    return;
  }
  let done = 0;
  for (let index = first; index <= last && done < count; index++) {
    const share = index === last ? 1 : (bucketLowerBound(index + 1) - low) / (high - low);
    const upto = Math.min(count, Math.max(done, Math.round(share * count)));
    if (upto > done) buckets.push(index, upto - done);
    done = upto;
  }
}

function within(index: number): number {
  return Math.min(MAX_BUCKET, Math.max(MIN_BUCKET, Math.floor(index)));
}
