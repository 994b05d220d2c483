/**
 * Metrics as text: Prometheus's text format 0.0.4, or OpenMetrics 1.0, which adds units, the times at which counters
 * began, and an end.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
import type { Family, Labels, Point } from "./catalogue.ts";

export type TextFormat = "prometheus" | "openmetrics";

export const CONTENT_TYPES: Record<TextFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export function writeExposition(families: readonly Family[], format: TextFormat): string {
  const lines = families.flatMap((family) => [
    ...headOf(family, format),
    ...family.points.flatMap((point) => linesOf(family, point, format)),
  ]);
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function headOf({ name, type, unit, help }: Family, format: TextFormat): string[] {
  if (format === "prometheus") {
    const sampleName = type === "counter" ? `${name}_total` : name;
    return [`# HELP ${sampleName} ${help}`, `# TYPE ${sampleName} ${type}`];
  }
  return [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
  ];
}

function linesOf({ name, type }: Family, point: Point, format: TextFormat): string[] {
  const { labels, createdAt } = point;
  const open = format === "openmetrics";
  const lines =
    "buckets" in point
      ? [
          ...point.buckets.map(({ le, calls }) =>
            line(`${name}_bucket`, { ...labels, le: open ? canonical(le) : String(le) }, calls),
          ),
          line(`${name}_bucket`, { ...labels, le: "+Inf" }, point.count),
          line(`${name}_sum`, labels, point.sum),
          line(`${name}_count`, labels, point.count),
        ]
      : [line(type === "counter" ? `${name}_total` : name, labels, point.value)];
  if (open && createdAt !== undefined) lines.push(line(`${name}_created`, labels, createdAt / 1000));
  return lines;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}`;
}

/** OpenMetrics writes a bound as the float it is: 1.0, not 1. */
function canonical(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
