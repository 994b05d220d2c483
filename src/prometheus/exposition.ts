/**
 * Writes metrics as text: Prometheus' text format 0.0.4, or OpenMetrics 1.0, which adds units and an end marker.
 *
 * Leaves out `_created` lines. A late sample would move the start time of a counter back, and scrapers store each such line
 * as a series of its own.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { BuffersHealth } from "../read/buffer-health.ts";
import type { SeriesTotals } from "../stats/sums.ts";
import {
  COLLECTOR_METRICS,
  FUNCTION_METRICS,
  type HistogramPoint,
  type Labels,
  labelsOf,
  type NumberPoint,
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
  buffer: BuffersHealth,
  now: number,
  format: TextFormat,
): Generator<string> {
  for (const metric of FUNCTION_METRICS) {
    yield* headOf(metric, format);
    for (const row of functions) {
      const own = labelsOf(row);
      for (const point of metric.read(row)) {
        yield* linesOf(metric, { ...point, labels: { ...own, ...point.labels } }, format);
      }
    }
  }
  for (const metric of COLLECTOR_METRICS) {
    yield* headOf(metric, format);
    for (const point of metric.read(buffer, now)) yield* linesOf(metric, point, format);
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
  { name, type }: Metric,
  point: NumberPoint | HistogramPoint,
  format: TextFormat,
): Generator<string> {
  const { labels } = point;
  if (!("buckets" in point)) {
    yield line(type === "counter" ? `${name}_total` : name, labels, point.value);
    return;
  }
  for (const { le, calls } of point.buckets) {
    yield line(`${name}_bucket`, { ...labels, le: boundOf(le, format) }, calls);
  }
  yield line(`${name}_bucket`, { ...labels, le: "+Inf" }, point.count);
  yield line(`${name}_sum`, labels, point.sum);
  yield line(`${name}_count`, labels, point.count);
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
}

/** OpenMetrics writes bounds as floats: 1.0, not 1. */
function boundOf(bound: number, format: TextFormat): string {
  return format === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
