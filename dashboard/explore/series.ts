/** Names series by their labels, and chooses those that a chart can tell apart. */
import type { Labels, Series } from "../api/prometheus-results.ts";

/** `function_calls_total{function="f",result="ok"}`. Labels of `hidden` are left out. */
export function seriesName(labels: Labels, hidden: Labels = {}): string {
  const { __name__: name = "", ...rest } = labels;
  const shown = Object.entries(rest).filter(([label]) => !(label in hidden));
  if (shown.length === 0) return name === "" || "__name__" in hidden ? "{}" : name;
  const matchers = shown.map(([label, value]) => `${quotedName(label)}=${JSON.stringify(value)}`).join(", ");
  return `${"__name__" in hidden ? "" : name}{${matchers}}`;
}

/** The labels that all of several series have with the same value. Repeating them would tell nothing. */
export function sharedLabels(all: readonly Labels[]): Labels {
  const [first, ...others] = all;
  if (!first || others.length === 0) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([label, value]) => others.every((labels) => labels[label] === value)),
  );
}

/** The series that reach furthest from zero, in the order of the answer. */
export function furthest(series: readonly Series[], most: number): readonly Series[] {
  if (series.length <= most) return series;
  const heights = new Map(series.map((one) => [one, heightOf(one)]));
  const chosen = series.toSorted((a, b) => heights.get(b)! - heights.get(a)!).slice(0, most);
  return series.filter((one) => chosen.includes(one));
}

function heightOf({ values = [] }: Series): number {
  return values.reduce((height, [, value]) => Math.max(height, Math.abs(numberOf(value) ?? 0)), 0);
}

/** Undefined for what a chart cannot draw. */
export function numberOf(value: string): number | undefined {
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

const quotedName = (label: string): string =>
  /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : JSON.stringify(label);
