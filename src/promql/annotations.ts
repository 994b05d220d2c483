/** Warnings and infos that an evaluation adds to its result. */
import { formatGeneral } from "./numbers.ts";
import { type Span, locate } from "./position.ts";
import { quote } from "./quote.ts";

export type Severity = "warning" | "info";

interface Annotation {
  severity: Severity;
  message: string;
  span: Span;
  repair: Repair | undefined;
}

/** How far `histogram_quantile` had to repair the counts of classic buckets. Bounds of buckets, times in ms. */
export interface Repair {
  minBucket: number;
  maxBucket: number;
  maxDifference: number;
  count: number;
  firstMs: number;
  lastMs: number;
}

/** Collects annotations. The same message is kept once. */
export class Annotations {
  private readonly byMessage = new Map<string, Annotation>();

  add(severity: Severity, message: string, span: Span): void {
    this.byMessage.set(message, { severity, message, span, repair: undefined });
  }

  warn(message: string, span: Span): void {
    this.add("warning", message, span);
  }

  inform(message: string, span: Span): void {
    this.add("info", message, span);
  }

  /** Adds a repair to those with the same message. */
  addRepair(message: string, span: Span, repair: Repair): void {
    const known = this.byMessage.get(message)?.repair;
    const joined = known
      ? {
          minBucket: Math.min(known.minBucket, repair.minBucket),
          maxBucket: Math.max(known.maxBucket, repair.maxBucket),
          maxDifference: Math.max(known.maxDifference, repair.maxDifference),
          count: known.count + repair.count,
          firstMs: Math.min(known.firstMs, repair.firstMs),
          lastMs: Math.max(known.lastMs, repair.lastMs),
        }
      : repair;
    this.byMessage.set(message, { severity: "info", message, span, repair: joined });
  }

  /** The texts as Prometheus answers them, each with its place in the query. */
  print(query: string, severity: Severity): string[] {
    return Array.from(this.byMessage.values(), (annotation) => annotation)
      .filter((annotation) => annotation.severity === severity)
      .map(({ message, span, repair }) => {
        const details = repair ? printRepair(repair) : "";
        return `PromQL ${severity}: ${message}${details} (${locate(query, span.start)})`;
      });
  }
}

function printRepair({ minBucket, maxBucket, maxDifference, count, firstMs, lastMs }: Repair): string {
  const buckets = `from buckets ${formatGeneral(minBucket)} to ${formatGeneral(maxBucket)}`;
  const difference = formatGeneral(Number(maxDifference.toPrecision(2)), 2);
  const times = `from ${formatSecond(firstMs)} to ${formatSecond(lastMs)}`;
  return `, ${buckets}, with a max diff of ${difference}, over ${count} samples ${times}`;
}

const formatSecond = (timeMs: number): string =>
  new Date(Math.floor(timeMs / 1000) * 1000).toISOString().replace(".000Z", "Z");

const ofMetric = (name: string): string => (name === "" ? "" : ` for metric name ${quote(name)}`);

/** The messages, in the words of Prometheus, so that alerts and tests on them work here too. */
export const MESSAGES = {
  invalidQuantile: (q: number) => `quantile value should be between 0 and 1, got ${formatGeneral(q)}`,
  badBucketLabel: (label: string, name: string) =>
    `bucket label "le" is missing or has a malformed value of ${quote(label)}${ofMetric(name)}`,
  mixedSamples: (name: string) => `encountered a mix of histograms and floats for metric name ${quote(name)}`,
  mixedAggregation: "encountered a mix of histograms and floats for aggregation",
  mixedClassicNative: (name: string) =>
    `vector contains a mix of classic and native histograms${ofMetric(name)}`,
  notCounter: (name: string) => `this native histogram metric is not a counter: ${quote(name)}`,
  notGauge: (name: string) => `this native histogram metric is not a gauge: ${quote(name)}`,
  mixedBuckets: (name: string) =>
    `vector contains a mix of histograms with exponential and custom buckets schemas for metric name ${quote(name)}`,
  incompatibleLayout: (operator: string) =>
    `incompatible bucket layout encountered for binary operator ${operator}`,
  sortInRange: "sort is ineffective for range queries since results are always ordered by labels",
  possibleNonCounter: (name: string) =>
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: ${quote(name)}`,
  forcedMonotonicity: (name: string) =>
    "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/" +
    `latest/querying/functions/#histogram_quantile)${ofMetric(name)}`,
  incompatibleTypes: (left: string, operator: string, right: string) =>
    `incompatible sample types encountered for binary operator ${quote(operator)}: ${left} ${operator} ${right}`,
  ignoredInAggregation: (operator: string) => `ignored histogram in ${operator} aggregation`,
  ignoredInRange: (name: string) =>
    `ignored histograms in a range containing both floats and histograms for metric name ${quote(name)}`,
  quantileOfNaN: (name: string) =>
    `input to histogram_quantile has NaN observations, result is NaN${ofMetric(name)}`,
  quantileSkewed: (name: string) =>
    `input to histogram_quantile has NaN observations, result is skewed higher${ofMetric(name)}`,
  fractionOfNaN: (name: string) =>
    `input to histogram_fraction has NaN observations, which are excluded from all fractions${ofMetric(name)}`,
  resetCollision: (operation: string) => `conflicting counter resets during histogram ${operation}`,
  boundsReconciled: (operation: string) => `mismatched custom buckets were reconciled during ${operation}`,
  startTimeOverlap: (name: string) =>
    `sample has start time that overlaps with previous sample timestamp for metric ${quote(name)}`,
} as const;
