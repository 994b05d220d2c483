/** Puts the series of `load` commands into a source, as Prometheus' database would store them. */
import {
  CUSTOM_SCHEMA,
  EMPTY_HISTOGRAM,
  type Histogram,
  equalLists,
} from "../../../src/promql/histogram/histogram.ts";
import { isReset } from "../../../src/promql/histogram/resets.ts";
import {
  BUCKET_LABEL,
  type Labels,
  METRIC_NAME,
  dropLabels,
  labelsKey,
  setLabel,
} from "../../../src/promql/labels.ts";
import type { MemorySource } from "../../../src/promql/memory-source.ts";
import type { SampleValue } from "../../../src/promql/source.ts";
import { parseFloatText } from "./notation.ts";
import type { Load } from "./script.ts";

export function loadInto(source: MemorySource, { series, stepMs, withNative }: Load): void {
  // A second line for the same series replaces the first.
  const latest = new Map(series.map((one) => [labelsKey(one.labels), one]));
  for (const { labels, points, starts } of latest.values()) {
    let previous: SampleValue = null;
    for (const [index, { value }] of points.entries()) {
      if (value === undefined) continue;
      const timeMs = index * stepMs;
      const start = starts?.[index];
      const stored: SampleValue =
        typeof value === "object" && value !== null ? asStored(value, previous) : value;
      source.append(labels, timeMs, stored, start === undefined ? 0 : timeMs + start);
      previous = stored;
    }
  }
  if (withNative) loadNative(source, { series, stepMs });
}

/**
 * The hint that the database returns: "not reset" within a chunk, "unknown" at its start. A chunk ends where a count
 * falls, the layout changes, or a sample of another kind comes in between.
 */
function asStored(histogram: Histogram, previous: SampleValue): Histogram {
  if (histogram.resetHint === "gauge") return histogram;
  const starts: Histogram = { ...histogram, resetHint: "unknown" };
  if (typeof previous !== "object" || previous === null || previous.resetHint === "gauge") return starts;
  const sameLayout =
    histogram.schema === previous.schema &&
    histogram.zeroThreshold === previous.zeroThreshold &&
    equalLists(histogram.customBounds, previous.customBounds);
  if (histogram.resetHint === "reset" || !sameLayout || isReset(starts, previous)) return starts;
  return { ...histogram, resetHint: "not_reset" };
}

interface Classic {
  labels: Labels;
  /** By time in milliseconds. */
  samples: Map<number, { buckets: Map<number, number>; count: number | undefined; sum: number }>;
}

/** Joins `_bucket`, `_count` and `_sum` to native histograms with custom buckets. */
function loadNative(source: MemorySource, { series, stepMs }: Pick<Load, "series" | "stepMs">): void {
  const classics = new Map<string, Classic>();
  for (const { labels, points } of series) {
    const [, name, suffix] = /^(.*)_(bucket|count|sum)$/.exec(labels.get(METRIC_NAME) ?? "") ?? [];
    if (name === undefined) continue;
    const bound = suffix === "bucket" ? parseFloatText(labels.get(BUCKET_LABEL) ?? "") : 0;
    if (Number.isNaN(bound)) continue;
    const base = setLabel(dropLabels(labels, [BUCKET_LABEL]), METRIC_NAME, name);
    const key = labelsKey(base);
    if (!classics.has(key)) classics.set(key, { labels: base, samples: new Map() });
    const { samples } = classics.get(key)!;
    for (const [index, { value }] of points.entries()) {
      if (typeof value !== "number") continue;
      const timeMs = index * stepMs;
      if (!samples.has(timeMs)) samples.set(timeMs, { buckets: new Map(), count: undefined, sum: 0 });
      const sample = samples.get(timeMs)!;
      if (suffix === "bucket") sample.buckets.set(bound, sample.buckets.get(bound) ?? value);
      else if (suffix === "count") sample.count = value;
      else sample.sum = value;
    }
  }
  for (const { labels, samples } of classics.values()) {
    let previous: SampleValue = null;
    for (const timeMs of [...samples.keys()].sort((a, b) => a - b)) {
      const stored: Histogram = asStored(toNative(samples.get(timeMs)!), previous);
      source.append(labels, timeMs, stored);
      previous = stored;
    }
  }
}

function toNative({
  buckets,
  count,
  sum,
}: {
  buckets: Map<number, number>;
  count: number | undefined;
  sum: number;
}): Histogram {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = count ?? sorted.at(-1)?.[1] ?? 0;
  if (sorted.at(-1)?.[0] !== Infinity) sorted.push([Infinity, total]);
  const counts = sorted.map(([, cumulative], index) => cumulative - (sorted[index - 1]?.[1] ?? 0));
  return {
    ...EMPTY_HISTOGRAM,
    schema: CUSTOM_SCHEMA,
    count: total,
    sum,
    positive: { indexes: counts.map((_, index) => index), counts },
    customBounds: sorted.slice(0, -1).map(([bound]) => bound),
  };
}
