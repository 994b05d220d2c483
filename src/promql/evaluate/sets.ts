/** The set operators `and`, `or` and `unless`. */
import type { Matching } from "../ast.ts";
import { groupBySignature, signatureOf } from "./signature.ts";
import { NONE, type Row, type Value, mergeRows } from "./value.ts";

export function applySetOperator(
  operator: string,
  matching: Matching,
  left: Row[],
  right: Row[],
  steps: number,
): Value {
  const signature = signatureOf(matching);
  const [kept, tested] = operator === "or" ? [right, left] : [left, right];
  const present = new Map<string, Uint8Array>();
  for (const [key, rows] of groupBySignature(tested, signature)) {
    const at = new Uint8Array(steps);
    for (const { kinds } of rows)
      for (let step = 0; step < steps; step++) if (kinds[step] !== NONE) at[step] = 1;
    present.set(key, at);
  }
  const wanted = operator === "and" ? 1 : 0;
  const nowhere = new Uint8Array(steps);
  for (const { labels, kinds } of kept) {
    const at = present.get(signature(labels)) ?? nowhere;
    for (let step = 0; step < steps; step++) if (at[step] !== wanted) kinds[step] = NONE;
  }
  const rows = kept.filter((row) => !row.isEmpty);
  return { type: "vector", rows: operator === "or" ? mergeRows([...left, ...rows]) : rows };
}
