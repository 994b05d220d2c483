/** The catalogue of metrics that a scraper gets. The names of the first two are the Autometrics specification's. */
import type { BufferHealth } from "../buffer/interface.ts";
import { BOUNDS, cumulativeCounts } from "./classic-buckets.ts";
import type { SeriesTotals } from "../stats/sums.ts";

export type Labels = Record<string, string>;

/** Times are epoch milliseconds. */
export type Point =
  | { labels: Labels; value: number; createdAt?: number }
  | {
      labels: Labels;
      buckets: { le: number; calls: number }[];
      sum: number;
      count: number;
      createdAt: number;
    };

export interface Family {
  /** Without the `_total` of counters. */
  name: string;
  type: "counter" | "gauge" | "histogram";
  unit?: string;
  help: string;
  points: Point[];
}

/** All that a scrape tells of. */
export interface Observed {
  functions: readonly SeriesTotals[];
  buffer: BufferHealth;
  now: number;
}

export function familiesOf({ functions, buffer, now }: Observed): Family[] {
  const age = (since: number | null) => (since === null ? 0 : Math.max(0, now - since) / 1000);
  const gauge = (name: string, help: string, value: number, unit?: string): Family => ({
    name: `metrics_collector_${name}`,
    type: "gauge",
    ...(unit === undefined ? {} : { unit }),
    help,
    points: [{ labels: {}, value }],
  });
  return [
    {
      name: "function_calls",
      type: "counter",
      help: "Calls of the function, by whether they ended in an error.",
      points: functions.flatMap((row) => [
        {
          labels: { ...labelsOf(row), result: "ok" },
          value: row.calls - row.errors,
          createdAt: row.firstSeen,
        },
        { labels: { ...labelsOf(row), result: "error" }, value: row.errors, createdAt: row.firstSeen },
      ]),
    },
    {
      name: "function_calls_duration_seconds",
      type: "histogram",
      unit: "seconds",
      help: "How long calls of the function took, as far as the clock could see.",
      points: functions.map((row) => {
        const counts = cumulativeCounts(row.buckets);
        return {
          labels: labelsOf(row),
          buckets: BOUNDS.map((le, i) => ({ le, calls: counts[i]! })),
          sum: row.sumUs / 1e6,
          count: row.calls - row.unmeasured,
          createdAt: row.firstSeen,
        };
      }),
    },
    gauge("buffered_samples", "Samples acknowledged and in no flush yet.", buffer.bufferedSamples),
    gauge(
      "oldest_buffered_age_seconds",
      "How long the oldest of them has waited.",
      age(buffer.oldestBufferedAt),
      "seconds",
    ),
    gauge("unconfirmed_flushes", "Flushes that D1 is not known to have.", buffer.unconfirmedFlushes),
    gauge(
      "oldest_unconfirmed_age_seconds",
      "How long ago the oldest of them was sealed.",
      age(buffer.oldestUnconfirmedAt),
      "seconds",
    ),
    gauge("dead_letters", "Flushes that D1 keeps refusing.", buffer.deadLetters),
    {
      name: "metrics_collector_rejected_samples",
      type: "counter",
      help: "Samples that were refused, by reason.",
      points: Object.entries({ invalid: 0, too_late: 0, ...buffer.rejectedSamples }).map(
        ([reason, value]) => ({
          labels: { reason },
          value,
        }),
      ),
    },
  ];
}

function labelsOf({ service, module, function: name }: SeriesTotals): Labels {
  return { function: name, module, service_name: service };
}
