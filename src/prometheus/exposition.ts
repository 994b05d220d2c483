/**
 * Writes metrics as text: Prometheus' text format 0.0.4, or OpenMetrics 1.0, which adds units and an end marker.
 *
 * Leaves out `_created` lines. A late sample would move the start time of a counter back, and scrapers store each such line
 * as a series of its own.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { CollectorHealth } from "../read/collector-health.ts";
import type { SeriesTotals } from "../stats/sums.ts";
import {
  type ActiveAlert,
  ALERT_METRICS,
  COLLECTOR_METRICS,
  FUNCTION_METRICS,
  type FunctionMetric,
  type Labels,
  labelsOf,
} from "./catalogue.ts";

export type TextFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Record<TextFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

interface Metric {
  name: string;
  type: "counter" | "gauge" | "histogram";
  unit?: string;
  help: string;
}

/** Yields the text line by line, so that a large one can be streamed. `now` is epoch milliseconds. */
export function* writeExposition(
  functions: readonly SeriesTotals[],
  health: CollectorHealth,
  now: number,
  format: TextFormat,
  alerts: readonly ActiveAlert[] = [],
): Generator<string> {
  for (const metric of FUNCTION_METRICS) {
    yield* headOf(metric, format);
    for (const row of functions) yield* linesOf(metric, row, format);
  }
  for (const metric of COLLECTOR_METRICS) {
    const points = metric.read(health, now);
    if (points.length === 0) continue;
    yield* headOf(metric, format);
    const name = metric.type === "counter" ? `${metric.name}_total` : metric.name;
    for (const { labels, value } of points) yield line(name, labels, value);
  }
  for (const metric of alerts.length > 0 ? ALERT_METRICS : []) {
    yield* headOf(metric, format);
    for (const alert of alerts) {
      const { labels, value } = metric.read(alert);
      yield line(metric.name, labels, value);
    }
  }
  if (format === "openmetrics") yield "# EOF\n";
}

function* headOf({ name, type, unit, help }: Metric, format: TextFormat): Generator<string> {
  if (format === "prometheus") {
    const sampleName = type === "counter" ? `${name}_total` : name;
    yield `# HELP ${sampleName} ${help}\n`;
    yield `# TYPE ${sampleName} ${type}\n`;
    return;
  }
  yield `# TYPE ${name} ${type}\n`;
  if (unit !== undefined) yield `# UNIT ${name} ${unit}\n`;
  yield `# HELP ${name} ${help}\n`;
}

function* linesOf(
  { name, groups }: FunctionMetric,
  row: SeriesTotals,
  format: TextFormat,
): Generator<string> {
  const own = labelsOf(row);
  for (const { samples, write } of groups) {
    const values: number[] = [];
    write(row, values, 0);
    for (const [i, { suffix, labels, divisor = 1 }] of samples.entries()) {
      yield line(name + suffix, { ...own, ...inFormat(labels, format) }, values[i]! / divisor);
    }
  }
}

/** The older text format writes bounds as short as possible: 1, not 1.0. */
function inFormat(labels: Labels, format: TextFormat): Labels {
  const { le } = labels;
  return format === "openmetrics" || le === undefined || le === "+Inf"
    ? labels
    : { ...labels, le: String(Number(le)) };
}

export function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
