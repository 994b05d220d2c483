/** The labels by which series of two vectors match. */
import type { Matching } from "../ast.ts";
import { type Labels, METRIC_NAME, dropLabels, keyOf, labelsKey } from "../labels.ts";
import type { Row } from "./value.ts";

/** Gives equal texts for label sets that match. */
export function signatureOf({ on, labels }: Matching): (labels: Labels) => string {
  if (on) return (set) => keyOf(set, labels);
  const ignored = [METRIC_NAME, ...labels];
  return (set) => labelsKey(dropLabels(set, ignored));
}

export function groupBySignature(
  rows: readonly Row[],
  signature: (labels: Labels) => string,
): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = signature(row.labels);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}
