/** Sorts the rows of the functions table. */
import type { Sort, View } from "../view/view.ts";
import type { Row } from "./rows.ts";

type Value = number | string | null;

const SORTABLE: Record<Sort, (row: Row) => Value> = {
  function: (row) => row.function.toLowerCase(),
  service: (row) => row.service.toLowerCase(),
  calls: (row) => row.calls,
  callsPerSecond: (row) => row.callsPerSecond,
  errors: (row) => row.errors,
  errorRate: (row) => row.errorRate,
  averageMs: (row) => row.averageMs,
  p50Ms: (row) => row.p50Ms,
  p95Ms: (row) => row.p95Ms,
  p99Ms: (row) => row.p99Ms,
  lastSeen: (row) => row.lastSeenAt,
};

/** Puts nulls last in both directions. Rows with equal values are sorted by name, so the order is stable. */
export function sortRows(rows: readonly Row[], { sort, order }: Pick<View, "sort" | "order">): Row[] {
  const valueOf = SORTABLE[sort];
  const direction = order === "asc" ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byKey(a, b);
    return (x < y ? -1 : x > y ? 1 : 0) * direction || byKey(a, b);
  });
}

function byKey(a: Row, b: Row): number {
  return a.key < b.key ? -1 : 1;
}
