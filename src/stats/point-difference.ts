/**
 * Finds out what a cumulative point adds to the one before it. Cumulative points count from the start of the sender, so a
 * lost or repeated one does no harm: the next one has everything.
 *
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#resets-and-gaps
 */
import { isExponential, type PointValue, type SourceHistogram } from "./point.ts";

/** A point of a stream: one metric of one sender with one set of attributes. Times are epoch milliseconds. */
export interface StreamPoint {
  /** When the sender began to count. 0 if it does not tell. */
  start: number;
  time: number;
  value: PointValue;
}

export interface Difference {
  /** What to count. Null if nothing, or if it cannot be known. */
  counted: PointValue | null;
  /** Whether the point replaces the one that is stored. */
  isStored: boolean;
  /** Set if the streams of two senders seem to be mixed, or a sender counts backwards. */
  warning?: "second writer" | "counts fell";
}

/** Not counted, and later points are compared with this one. */
const BASELINE: Difference = { counted: null, isStored: true };
const IGNORED: Difference = { counted: null, isStored: false };
const FELL: Difference = { ...BASELINE, warning: "counts fell" };

/**
 * @param stored the last point of the stream; undefined if there is none
 * @param earliestStart points of an unknown stream that began before this time may have been counted before
 */
export function differenceTo(
  stored: StreamPoint | undefined,
  point: StreamPoint,
  earliestStart: number,
): Difference {
  if (stored === undefined) {
    const isWhole = point.start > 0 && point.start >= earliestStart;
    return isWhole ? { counted: point.value, isStored: true } : BASELINE;
  }
  if (point.start === stored.start) return sinceStored(stored, point);
  // Either of the two does not say when it began.
  if (point.start === 0 || (stored.start === 0 && point.start < stored.time)) {
    return point.time > stored.time ? BASELINE : IGNORED;
  }
  if (point.start > stored.start) return { counted: point.value, isStored: true };
  return { ...IGNORED, warning: "second writer" };
}

function sinceStored(stored: StreamPoint, point: StreamPoint): Difference {
  if (point.time <= stored.time) return IGNORED;
  const [before, after] = [stored.value, point.value];
  if (typeof before === "number" || typeof after === "number") {
    if (typeof before !== typeof after) return BASELINE;
    const more = (after as number) - (before as number);
    if (more < 0) return FELL;
    return { counted: more, isStored: true };
  }
  const counted = histogramSince(before, after);
  if (counted === "other bounds") return BASELINE;
  return counted === "fell" ? FELL : { counted, isStored: true };
}

function histogramSince(
  before: SourceHistogram,
  after: SourceHistogram,
): SourceHistogram | "fell" | "other bounds" {
  if (!haveLikeBounds(before.layout, after.layout)) return "other bounds";
  const scale = Math.min(scaleOf(before.layout), scaleOf(after.layout));
  const older = downscaled(before, scale);
  const newer = downscaled(after, scale);
  const counts = [...newer.counts];
  const shift = offsetOf(older.layout) - offsetOf(newer.layout);
  for (const [i, count] of older.counts.entries()) {
    if (count === 0) continue;
    const left = (counts[i + shift] ?? 0) - count;
    if (left < 0) return "fell";
    counts[i + shift] = left;
  }
  const zero = newer.zero - older.zero;
  const sumUs = newer.sumUs - older.sumUs;
  if (zero < 0 || sumUs < 0) return "fell";
  // The shortest and the longest duration are those since the start. Those of the difference are not known.
  return { layout: newer.layout, counts, zero, sumUs, minMs: null, maxMs: null };
}

/** Whether the buckets of both are the same, or become the same at a coarser scale. */
function haveLikeBounds(a: SourceHistogram["layout"], b: SourceHistogram["layout"]): boolean {
  if (isExponential(a) || isExponential(b))
    return isExponential(a) && isExponential(b) && a.unitMs === b.unitMs;
  return a.boundsMs.length === b.boundsMs.length && a.boundsMs.every((bound, i) => bound === b.boundsMs[i]);
}

/** The offset and counts of an exponential histogram at a coarser scale. */
function downscaled(histogram: SourceHistogram, scale: number): SourceHistogram {
  const { layout, counts } = histogram;
  if (!isExponential(layout) || layout.scale === scale) return histogram;
  const divisor = 2 ** (layout.scale - scale);
  const offset = Math.floor(layout.offset / divisor);
  const merged: number[] = [];
  for (const [i, count] of counts.entries()) {
    const at = Math.floor((layout.offset + i) / divisor) - offset;
    while (merged.length <= at) merged.push(0);
    merged[at]! += count;
  }
  return { ...histogram, layout: { ...layout, scale, offset }, counts: merged };
}

/** 0 for explicit buckets. */
function scaleOf(layout: SourceHistogram["layout"]): number {
  return isExponential(layout) ? layout.scale : 0;
}

/** 0 for explicit buckets. */
function offsetOf(layout: SourceHistogram["layout"]): number {
  return isExponential(layout) ? layout.offset : 0;
}
