/** Label sets: immutable maps, sorted by name, without empty values. */
import { quote } from "./quote.ts";

/** A missing label and an empty one are the same. Iterates in the order of names. */
export type Labels = ReadonlyMap<string, string>;

export const METRIC_NAME = "__name__";
export const BUCKET_LABEL = "le";
/** Labels that describe the metric itself. An operation that makes another metric of it drops them. */
const METADATA_LABELS: readonly string[] = [METRIC_NAME, "__type__", "__unit__"];

export const NO_LABELS: Labels = new Map();

/** Makes a label set of an object or of pairs. The last pair of a name wins. Empty values are left out. */
export function makeLabels(source: Record<string, string> | Iterable<readonly [string, string]>): Labels {
  const pairs = Symbol.iterator in source ? [...source] : Object.entries(source);
  return new Map(
    [...new Map(pairs)].filter(([, value]) => value !== "").sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export const metricName = (labels: Labels): string => labels.get(METRIC_NAME) ?? "";

/** A string that equals for equal label sets, and for no others. */
export function labelsKey(labels: Labels): string {
  let key = "";
  for (const [name, value] of labels) key += `${name}\u0000${value}\u0001`;
  return key;
}

/** The same for the values of the given labels. */
export function keyOf(labels: Labels, names: readonly string[]): string {
  let key = "";
  for (const name of names) key += `${labels.get(name) ?? ""}\u0001`;
  return key;
}

export function keepLabels(labels: Labels, names: readonly string[]): Labels {
  return filterLabels(labels, (name) => names.includes(name));
}

export function dropLabels(labels: Labels, names: readonly string[]): Labels {
  return filterLabels(labels, (name) => !names.includes(name));
}

/** Drops the metric's name, type and unit. */
export function dropMetadata(labels: Labels): Labels {
  return METADATA_LABELS.some((name) => labels.has(name)) ? dropLabels(labels, METADATA_LABELS) : labels;
}

/** Sets a label, or removes it if the value is empty. */
export function setLabel(labels: Labels, name: string, value: string): Labels {
  if ((labels.get(name) ?? "") === value) return labels;
  const changed = new Map<string, string>();
  let isPlaced = value === "";
  for (const [other, otherValue] of labels) {
    if (!isPlaced && other > name) {
      changed.set(name, value);
      isPlaced = true;
    }
    if (other !== name) changed.set(other, otherValue);
  }
  if (!isPlaced) changed.set(name, value);
  return changed;
}

/** The order of results: by name and value, pair after pair; a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const others = b.entries();
  for (const [name, value] of a) {
    const other = others.next().value;
    if (!other) return 1;
    if (name !== other[0]) return name < other[0] ? -1 : 1;
    if (value !== other[1]) return value < other[1] ? -1 : 1;
  }
  return a.size - b.size;
}

/** For messages: `{job="api", name="x"}`. */
export function formatLabels(labels: Labels): string {
  return `{${Array.from(labels, ([name, value]) => `${name}=${quote(value)}`).join(", ")}}`;
}

/** Whether a label can have this name. Any text that is not empty will do. */
export const isLabelName = (name: string): boolean => name !== "" && name.isWellFormed();

function filterLabels(labels: Labels, keep: (name: string) => boolean): Labels {
  const kept = new Map<string, string>();
  for (const [name, value] of labels) if (keep(name)) kept.set(name, value);
  return kept.size === labels.size ? labels : kept;
}
