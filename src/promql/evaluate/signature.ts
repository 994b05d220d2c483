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
  return Map.groupBy(rows, (row) => signature(row.labels));
}
