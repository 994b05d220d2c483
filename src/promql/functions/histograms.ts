/** Functions of histograms, native and classic. */
import { MESSAGES } from "../annotations.ts";
import {
  FLOAT,
  HISTOGRAM,
  type Row,
  putOnce,
  RowSet,
  type Value,
  rowsOf,
  scalarOf,
  timeAt,
} from "../evaluate/value.ts";
import { type ClassicBucket, classicFraction, classicQuantile } from "../histogram/classic.ts";
import type { Histogram } from "../histogram/histogram.ts";
import { histogramFraction, histogramQuantile, histogramVariance } from "../histogram/statistics.ts";
import { BUCKET_LABEL, type Labels, dropLabels, dropMetadata, labelsKey, metricName } from "../labels.ts";
import type { Span } from "../position.ts";
import { type CallContext, type FunctionEntry, type FunctionTable, ofValues } from "./function.ts";

const ofHistogram = (map: (histogram: Histogram) => number): FunctionEntry => ({
  parameters: ["vector"],
  optional: 0,
  returns: "vector",
  body: { kind: "histograms", map },
});

export const histogramFunctions: FunctionTable = {
  histogram_count: ofHistogram(({ count }) => count),
  histogram_sum: ofHistogram(({ sum }) => sum),
  histogram_avg: ofHistogram(({ sum, count }) => sum / count),
  histogram_stddev: ofHistogram((histogram) => Math.sqrt(histogramVariance(histogram))),
  histogram_stdvar: ofHistogram(histogramVariance),
  histogram_quantile: ofValues(["scalar", "vector"], ([quantile, vector], context) => {
    const { annotations, call, delayedNames, grid } = context;
    const q = scalarOf(quantile);
    const span = call.args[1]!.span;
    for (const value of new Set(q)) {
      if (!(value >= 0 && value <= 1)) annotations.warn(MESSAGES.invalidQuantile(value), call.args[0]!.span);
    }
    return perHistogram(rowsOf(vector), span, context, {
      classic(buckets, step, labels) {
        const { value, repair } = classicQuantile(q[step]!, buckets);
        if (repair) {
          const message = MESSAGES.forcedMonotonicity(delayedNames ? metricName(labels) : "");
          const timeMs = timeAt(grid, step);
          annotations.addRepair(message, span, { ...repair, count: 1, firstMs: timeMs, lastMs: timeMs });
        }
        return value;
      },
      native(histogram, step, labels) {
        const { value, effect } = histogramQuantile(q[step]!, histogram);
        const name = metricName(labels);
        if (effect === "result is NaN") annotations.inform(MESSAGES.quantileOfNaN(name), span);
        if (effect === "skewed") annotations.inform(MESSAGES.quantileSkewed(name), span);
        return value;
      },
    });
  }),
  histogram_fraction: ofValues(["scalar", "scalar", "vector"], ([lower, upper, vector], context) => {
    const [from, to] = [scalarOf(lower), scalarOf(upper)];
    const span = context.call.args[2]!.span;
    return perHistogram(rowsOf(vector), span, context, {
      classic: (buckets, step) => classicFraction(from[step]!, to[step]!, buckets),
      native(histogram, step, labels) {
        const { value, hasNaN } = histogramFraction(from[step]!, to[step]!, histogram);
        if (hasNaN) context.annotations.inform(MESSAGES.fractionOfNaN(metricName(labels)), span);
        return value;
      },
    });
  }),
};

interface Statistic {
  classic(buckets: ClassicBucket[], step: number, labels: Labels): number;
  native(histogram: Histogram, step: number, labels: Labels): number;
}

interface Group {
  labels: Labels;
  /** By ascending upper bound. The count is that of the step at hand. */
  buckets: (ClassicBucket & { row: Row })[];
  result: Row | undefined;
}

/** Applies a statistic to each classic histogram, joined from its buckets, and to each native one. */
function perHistogram(rows: Row[], span: Span, context: CallContext, statistic: Statistic): Value {
  const { annotations, delayedNames, grid } = context;
  const groups = groupBuckets(rows, span, context);
  const results = new RowSet(grid.steps, context.budget);
  const rowOf = (labels: Labels): Row =>
    results.rowOf(delayedNames ? labels : dropMetadata(labels), delayedNames);
  const natives = rows.filter(({ histograms }) => histograms !== undefined);
  const conflicts = new Map(natives.map((row) => [row, groups.get(labelsKey(row.labels))]));
  for (let step = 0; step < grid.steps; step++) {
    const conflicting = new Set<Group>();
    for (const row of natives) {
      if (row.kinds[step] !== HISTOGRAM) continue;
      const group = conflicts.get(row);
      if (group?.buckets.some((bucket) => bucket.row.kinds[step] === FLOAT)) {
        annotations.warn(MESSAGES.mixedClassicNative(delayedNames ? metricName(row.labels) : ""), span);
        conflicting.add(group);
        continue;
      }
      const result = rowOf(row.labels);
      putOnce(result, step, statistic.native(row.histograms![step]!, step, result.labels));
    }
    for (const group of groups.values()) {
      if (conflicting.has(group)) continue;
      const buckets = group.buckets.filter(({ row }) => row.kinds[step] === FLOAT);
      for (const bucket of buckets) bucket.count = bucket.row.floats[step]!;
      if (buckets.length === 0) continue;
      group.result ??= rowOf(group.labels);
      putOnce(group.result, step, statistic.classic(buckets, step, group.labels));
    }
  }
  return { type: "vector", rows: results.list() };
}

function groupBuckets(
  rows: Row[],
  span: Span,
  { annotations, delayedNames }: CallContext,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    if (!row.kinds.includes(FLOAT)) continue;
    const le = row.labels.get(BUCKET_LABEL) ?? "";
    const upper = parseBound(le);
    if (upper === undefined) {
      const name = delayedNames ? metricName(row.labels) : "";
      annotations.warn(MESSAGES.badBucketLabel(le, name), span);
      continue;
    }
    const labels = dropLabels(row.labels, [BUCKET_LABEL]);
    const key = labelsKey(labels);
    const group = groups.get(key);
    if (group) group.buckets.push({ upper, count: 0, row });
    else groups.set(key, { labels, buckets: [{ upper, count: 0, row }], result: undefined });
  }
  for (const { buckets } of groups.values())
    buckets.sort((a, b) => (a.upper < b.upper ? -1 : a.upper > b.upper ? 1 : 0));
  return groups;
}

function parseBound(text: string): number | undefined {
  if (/^\+?inf(inity)?$/i.test(text)) return Infinity;
  if (/^-inf(inity)?$/i.test(text)) return -Infinity;
  const value = Number(text);
  return text === "" || Number.isNaN(value) ? undefined : value;
}
