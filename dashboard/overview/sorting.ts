/** The order of the table, and how it is held still while somebody points at it. */
import { useRef } from "preact/hooks";
import type { View } from "../view/view.ts";
import type { Row } from "./rows.ts";

type Value = number | string | null;

export const SORTABLE: Record<string, (row: Row) => Value> = {
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

/** Nulls last, whatever the order; equals by name, so that the order is total. */
export function sortRows(rows: readonly Row[], { sort, order }: Pick<View, "sort" | "order">): Row[] {
  const valueOf = SORTABLE[sort] ?? SORTABLE.calls!;
  const direction = order === "asc" ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || byKey(a, b);
    return (x < y ? -1 : x > y ? 1 : 0) * direction || byKey(a, b);
  });
}

/**
 * While held, what was shown stays where it was, with its new numbers; what is new comes after it. `asked` is what
 * the reader chose: another choice makes another order, held or not.
 */
export function useHeldOrder(rows: Row[], asked: string, isHeld: boolean): Row[] {
  const shown = useRef({ asked, keys: [] as string[] });
  let ordered = rows;
  if (isHeld && shown.current.asked === asked) {
    const byKey = new Map(rows.map((row) => [row.key, row]));
    const stayed = shown.current.keys.flatMap((key) => byKey.get(key) ?? []);
    const known = new Set(shown.current.keys);
    ordered = [...stayed, ...rows.filter(({ key }) => !known.has(key))];
  }
  shown.current = { asked, keys: ordered.map(({ key }) => key) };
  return ordered;
}

function byKey(a: Row, b: Row): number {
  return a.key < b.key ? -1 : 1;
}
