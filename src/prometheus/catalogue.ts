/**
 * The list of Prometheus metrics, as data: name, type, help, labels, and how each value is computed from sums. The names
 * of the function metrics are those of the Autometrics specification, so its dashboards and rules work unchanged.
 *
 * https://github.com/autometrics-dev/autometrics-shared/blob/main/specs/autometrics_v1.0.0.md
 */
import type { CollectorHealth } from "../read/collector-health.ts";
import type { SinkState } from "../read/sinks.ts";
import type { SeriesId } from "../stats/series-id.ts";
import type { Sums } from "../stats/sums.ts";
import { BOUNDS, writeCumulativeCounts } from "./classic-buckets.ts";

export type Labels = Record<string, string>;

/** A sample of a counter or a gauge. */
export interface NumberPoint {
  labels: Labels;
  value: number;
}

interface Described {
  /** Without the suffixes that samples have, such as `_total` of counters. */
  name: string;
  unit?: string;
  help: string;
}

/** Samples of one metric that are computed together. */
export interface SampleGroup {
  /** Each sample's name is the metric's name and the suffix. The labels are those beyond the function's own. */
  samples: readonly { suffix: string; labels: Labels; divisor?: number }[];
  /** Whether `write` reads the buckets of the sums. */
  needsBuckets: boolean;
  /**
   * Writes one number for each sample, from the index `at` on. Divided by the sample's `divisor`, if it has one, they are the
   * sample's values. The numbers are whole, and those of two sums add up to those of the sums' sum.
   */
  write: (sums: Sums, into: { [index: number]: number }, at: number) => void;
}

/** A metric that each function has. */
export type FunctionMetric = Described & {
  type: "counter" | "histogram";
  groups: readonly SampleGroup[];
};

export const FUNCTION_METRICS: readonly FunctionMetric[] = [
  {
    name: "function_calls",
    type: "counter",
    help: "Calls of the function, by whether they ended in an error.",
    groups: [
      {
        samples: ["ok", "error"].map((result) => ({ suffix: "_total", labels: { result } })),
        needsBuckets: false,
        write({ calls, errors }, into, at) {
          into[at] = calls - errors;
          into[at + 1] = errors;
        },
      },
    ],
  },
  {
    name: "function_calls_duration_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Durations of the function's calls, as far as they could be measured.",
    groups: [
      {
        samples: [...BOUNDS.map(boundText), "+Inf"].map((le) => ({ suffix: "_bucket", labels: { le } })),
        needsBuckets: true,
        write(sums, into, at) {
          writeCumulativeCounts(sums.buckets, into, at);
          into[at + BOUNDS.length] = sums.calls - sums.unmeasured;
        },
      },
      {
        samples: [
          { suffix: "_sum", labels: {}, divisor: 1e6 },
          { suffix: "_count", labels: {} },
        ],
        needsBuckets: false,
        write({ sumUs, calls, unmeasured }, into, at) {
          into[at] = sumUs;
          into[at + 1] = calls - unmeasured;
        },
      },
    ],
  },
];

/** OpenMetrics and Prometheus 3 write bounds as floats: 1.0, not 1. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

/** A metric of the collector itself. */
export type CollectorMetric = Described & {
  type: "counter" | "gauge";
  /** `now` is epoch milliseconds. */
  read: (health: CollectorHealth, now: number) => NumberPoint[];
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
  sinkGauge("lag_rows", "Minutes that changed and that the sink has not sent.", (sink) => sink.lagRows),
  {
    ...sinkGauge("lag_seconds", "Since when the sink has not sent a change.", (sink) => sink.lagSeconds),
    unit: "seconds",
  },
  sinkGauge("refused_rows", "Rows that the sink's store refused.", (sink) => sink.refused),
  sinkGauge("up", "Whether the sink's store takes rows.", ({ state }) =>
    ["waiting", "stopped", "unknown"].includes(state) ? 0 : 1,
  ),
];

/** An alert that is pending, firing or recovering. `activeAt` is in epoch seconds. */
export interface ActiveAlert {
  labels: Labels;
  phase: "pending" | "firing" | "recovering";
  activeAt: number;
}

/** The metrics that Prometheus itself writes for its own alerts. There they have these names, without a prefix. */
export const ALERT_METRICS: readonly (Described & {
  type: "gauge";
  read: (alert: ActiveAlert) => NumberPoint;
})[] = [
  {
    name: "ALERTS",
    type: "gauge",
    help: "1 for each alert that is pending or firing.",
    read: ({ labels, phase }) => ({
      labels: { ...labels, alertstate: phase === "pending" ? "pending" : "firing" },
      value: 1,
    }),
  },
  {
    name: "ALERTS_FOR_STATE",
    type: "gauge",
    help: "When the alert became active, in seconds since 1970.",
    read: ({ labels, activeAt }) => ({ labels, value: activeAt }),
  },
];

/** The labels that tell one function from another. */
export function labelsOf({ service, module, function: name }: SeriesId): Labels {
  return { function: name, module, service_name: service };
}

function gauge(name: string, help: string, value: (buffer: CollectorHealth) => number): CollectorMetric {
  return {
    name: `metrics_collector_${name}`,
    type: "gauge",
    help,
    read: (buffer) => [{ labels: {}, value: value(buffer) }],
  };
}

/** Has a sample for each sink, and none without sinks. */
function sinkGauge(name: string, help: string, value: (sink: SinkState) => number): CollectorMetric {
  return {
    name: `metrics_collector_sink_${name}`,
    type: "gauge",
    help,
    read: ({ sinks }) => sinks.map((sink) => ({ labels: { sink: sink.name }, value: value(sink) })),
  };
}

function ageGauge(
  name: string,
  help: string,
  since: (buffer: CollectorHealth) => number | null,
): CollectorMetric {
  const read = (buffer: CollectorHealth, now: number) => {
    const at = since(buffer);
    return [{ labels: {}, value: at === null ? 0 : Math.max(0, now - at) / 1000 }];
  };
  return { name: `metrics_collector_${name}`, type: "gauge", unit: "seconds", help, read };
}
