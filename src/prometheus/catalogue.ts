/**
 * The list of Prometheus metrics, as data: name, type, help, labels, and how each value is computed from sums. The names
 * of the function metrics are those of the Autometrics specification, so its dashboards and rules work unchanged.
 *
 * https://github.com/autometrics-dev/autometrics-shared/blob/main/specs/autometrics_v1.0.0.md
 */
import type { BuffersHealth } from "../read/buffer-health.ts";
import type { SeriesId } from "../stats/series-id.ts";
import type { Sums } from "../stats/sums.ts";
import { BOUNDS, cumulativeCounts } from "./classic-buckets.ts";

export type Labels = Record<string, string>;

/** A sample of a counter or a gauge. */
export interface NumberPoint {
  labels: Labels;
  value: number;
}

/** A classic histogram: cumulative counts up to each bound, and the sum and count of all observations. */
export interface HistogramPoint {
  labels: Labels;
  buckets: { le: number; calls: number }[];
  sum: number;
  count: number;
}

interface Described {
  /** Without the suffixes that samples have, such as `_total` of counters. */
  name: string;
  unit?: string;
  help: string;
}

/** A metric that each function has. Its points carry the function's labels as well. */
export type FunctionMetric = Described &
  (
    | { type: "counter"; read: (sums: Sums) => NumberPoint[] }
    | { type: "histogram"; read: (sums: Sums) => HistogramPoint[] }
  );

export const FUNCTION_METRICS: readonly FunctionMetric[] = [
  {
    name: "function_calls",
    type: "counter",
    help: "Calls of the function, by whether they ended in an error.",
    read: ({ calls, errors }) => [
      { labels: { result: "ok" }, value: calls - errors },
      { labels: { result: "error" }, value: errors },
    ],
  },
  {
    name: "function_calls_duration_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Durations of the function's calls, as far as they could be measured.",
    read: ({ buckets, sumUs, calls, unmeasured }) => {
      const counts = cumulativeCounts(buckets);
      return [
        {
          labels: {},
          buckets: BOUNDS.map((le, i) => ({ le, calls: counts[i]! })),
          sum: sumUs / 1e6,
          count: calls - unmeasured,
        },
      ];
    },
  },
];

/** A metric of the collector itself. */
export type CollectorMetric = Described & {
  type: "counter" | "gauge";
  /** `now` is epoch milliseconds. */
  read: (buffer: BuffersHealth, now: number) => NumberPoint[];
};

export const COLLECTOR_METRICS: readonly CollectorMetric[] = [
  gauge("buffered_samples", "Samples that are acknowledged and in no flush yet.", (b) => b.bufferedSamples),
  ageGauge(
    "oldest_buffered_age_seconds",
    "Age of the oldest sample that is in no flush yet.",
    (b) => b.oldestBufferedAt,
  ),
  gauge("unconfirmed_flushes", "Flushes that D1 has not confirmed.", (b) => b.unconfirmedFlushes),
  ageGauge(
    "oldest_unconfirmed_age_seconds",
    "Age of the oldest flush that D1 has not confirmed.",
    (b) => b.oldestUnconfirmedAt,
  ),
  gauge("dead_letters", "Flushes that D1 keeps refusing.", (b) => b.deadLetters),
  {
    name: "metrics_collector_rejected_samples",
    type: "counter",
    help: "Samples that were rejected, by reason.",
    read: ({ rejectedSamples }) =>
      Object.entries({ invalid: 0, too_late: 0, ...rejectedSamples }).map(([reason, value]) => ({
        labels: { reason },
        value,
      })),
  },
];

/** The labels that tell one function from another. */
export function labelsOf({ service, module, function: name }: SeriesId): Labels {
  return { function: name, module, service_name: service };
}

function gauge(name: string, help: string, value: (buffer: BuffersHealth) => number): CollectorMetric {
  return {
    name: `metrics_collector_${name}`,
    type: "gauge",
    help,
    read: (buffer) => [{ labels: {}, value: value(buffer) }],
  };
}

function ageGauge(
  name: string,
  help: string,
  since: (buffer: BuffersHealth) => number | null,
): CollectorMetric {
  const read = (buffer: BuffersHealth, now: number) => {
    const at = since(buffer);
    return [{ labels: {}, value: at === null ? 0 : Math.max(0, now - at) / 1000 }];
  };
  return { name: `metrics_collector_${name}`, type: "gauge", unit: "seconds", help, read };
}
