/**
 * The series that queries find, without their functions: metric names and labels, from the same catalogue as the text for
 * scrapers. A selector is compared with these first, so that nothing is read for metrics that it does not match.
 */
import type { Matcher } from "../../promql/matcher.ts";
import type { SeriesId } from "../../stats/series-id.ts";
import {
  COLLECTOR_METRICS,
  type CollectorMetric,
  FUNCTION_METRICS,
  type FunctionMetric,
  type Labels,
  labelsOf,
  type SampleGroup,
} from "../catalogue.ts";

/** Where the series come from. A scraper would set the same two labels. */
export interface Target {
  job: string;
  instance: string;
}

interface Named {
  name: string;
  /** Labels beyond the name, the target's and the function's. */
  labels: Labels;
}

/** One counter of each function: a column of a group of samples. */
export type CounterTemplate = Named & {
  kind: "counter";
  group: SampleGroup;
  column: number;
  divisor: number;
};
/** The native histogram of each function. */
export type NativeTemplate = Named & { kind: "native" };
/** A series that is always 1. */
export type ConstantTemplate = Named & { kind: "constant" };
/** A number that is known now only. */
export type GaugeTemplate = Named & { kind: "gauge"; metric: CollectorMetric };
export type Template = CounterTemplate | NativeTemplate | ConstantTemplate | GaugeTemplate;

/** `up` and `build_info`, which the queries of the Autometrics dashboards join with. */
export const CONSTANT_METRICS: readonly { name: string; type: "gauge"; help: string }[] = [
  { name: "up", type: "gauge", help: "1, because the collector answers." },
  { name: "build_info", type: "gauge", help: "The version of the collector." },
];

/** Names of labels that tell functions apart. */
const FUNCTION_LABELS: ReadonlySet<string> = new Set(
  Object.keys(labelsOf({ service: "", module: "", function: "" })),
);

const BOUND_LABEL = "le";

/** Templates that match, and whether a function matches. */
export interface Selection {
  templates: Template[];
  isMatching: (id: SeriesId) => boolean;
}

export function selectTemplates(
  matchers: readonly Matcher[],
  target: Target,
  buildLabels: Labels,
): Selection {
  const [ofFunctions, others] = [true, false].map((ofFunction) =>
    matchers.filter(({ name }) => FUNCTION_LABELS.has(name) === ofFunction),
  ) as [Matcher[], Matcher[]];
  const isFunctionless = accepts({}, ofFunctions);
  const templates = [...allTemplates(buildLabels)].filter(({ kind, name, labels }) => {
    if (!isFunctionless && (kind === "constant" || kind === "gauge")) return false;
    const all = { __name__: name, ...target, ...labels };
    // The labels of a gauge are known when it is read.
    return accepts(all, kind === "gauge" ? others.filter((matcher) => matcher.name in all) : others);
  });
  return { templates, isMatching: (id) => accepts(labelsOf(id), ofFunctions) };
}

/** Whether a series with these labels matches. */
export function accepts(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => isAccepted(matcher, labels[matcher.name] ?? ""));
}

/** Bounds are compared as numbers: 1 and 1.0 are the same. */
function isAccepted(matcher: Matcher, value: string): boolean {
  if (matcher.name !== BOUND_LABEL || value === "") return matcher.matches(value);
  const spellings = [value, String(Number(value))];
  if (matcher.operator === "=~") return spellings.some((text) => matcher.matches(text));
  if (matcher.operator === "!~") return spellings.every((text) => matcher.matches(text));
  const isEqual = boundOf(value) === boundOf(matcher.value);
  return isEqual === (matcher.operator === "=");
}

const boundOf = (text: string): number =>
  text === "+Inf" || text === "Inf" ? Infinity : text === "" ? Number.NaN : Number(text);

function* allTemplates(buildLabels: Labels): Generator<Template> {
  for (const metric of FUNCTION_METRICS) yield* templatesOf(metric);
  for (const { name } of CONSTANT_METRICS) {
    yield { kind: "constant", name, labels: name === "build_info" ? buildLabels : {} };
  }
  for (const metric of COLLECTOR_METRICS) {
    const name = metric.type === "counter" ? `${metric.name}_total` : metric.name;
    yield { kind: "gauge", name, labels: {}, metric };
  }
}

function* templatesOf({ name, type, groups }: FunctionMetric): Generator<Template> {
  for (const group of groups) {
    for (const [column, { suffix, labels, divisor = 1 }] of group.samples.entries()) {
      yield { kind: "counter", name: name + suffix, labels, group, column, divisor };
    }
  }
  if (type === "histogram") yield { kind: "native", name, labels: {} };
}
