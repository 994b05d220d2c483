/** Divides series into groups by their labels. */
import type { Aggregation } from "../ast.ts";
import { type Labels, METRIC_NAME, NO_LABELS, dropLabels, keepLabels, keyOf, labelsKey } from "../labels.ts";
import type { Row } from "./value.ts";

export interface Group {
  labels: Labels;
  rows: Row[];
}

/** The groups of rows, in the order of their first rows. */
export function groupRows(
  rows: readonly Row[],
  { labels, without }: Pick<Aggregation, "labels" | "without">,
): Group[] {
  const groups = new Map<string, Group>();
  const names = without ? [METRIC_NAME, ...labels] : labels;
  for (const row of rows) {
    // Metrics of different names are in one group, but a label that only looks like a name is not special.
    const key = without ? labelsKey(dropLabels(row.labels, names)) : keyOf(row.labels, names);
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { labels: groupLabels(row.labels, names, without), rows: [row] });
  }
  return [...groups.values()];
}

function groupLabels(labels: Labels, names: readonly string[], without: boolean): Labels {
  if (without) return dropLabels(labels, names);
  return names.length === 0 ? NO_LABELS : keepLabels(labels, names);
}
