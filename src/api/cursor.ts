/** Encodes the position in a sorted list as an opaque cursor. */
import type { FunctionMetrics } from "./function-metrics.ts";

export const SORTABLE = [
  "calls",
  "errors",
  "errorRate",
  "callsPerSecond",
  "averageMs",
  "minMs",
  "maxMs",
  "unmeasured",
  "p50Ms",
  "p90Ms",
  "p95Ms",
  "p99Ms",
  "firstSeen",
  "lastSeen",
] as const;

export type Column = (typeof SORTABLE)[number];
export type Order = "asc" | "desc";

export interface Sorting {
  sort: Column;
  order: Order;
}

/** The fields by which items are sorted. */
export type Sortable = Pick<FunctionMetrics, "service" | "module" | "function"> &
  Partial<Record<Column, number | string | null | undefined>>;

/** Nulls come last in either order. Equal values are ordered by name, so that the order is total. */
export function comparing({ sort, order }: Sorting): (a: Sortable, b: Sortable) => number {
  const direction = order === "asc" ? 1 : -1;
  return (a, b) =>
    compareValues(a[sort] ?? null, b[sort] ?? null, direction) ||
    compare(a.service, b.service) ||
    compare(a.module, b.module) ||
    compare(a.function, b.function);
}

/** `now` is the time of the list's first page (epoch milliseconds). Later pages compute rates with it. */
export function writeCursor({ sort, order }: Sorting, last: Sortable, now: number): string {
  const text = JSON.stringify([
    sort,
    order,
    last[sort] ?? null,
    last.service,
    last.module,
    last.function,
    now,
  ]);
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Undefined if the text is not a cursor. */
export function readCursor(text: string): { sorting: Sorting; last: Sortable; now: number } | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const [sort, order, value, ...names] = JSON.parse(new TextDecoder().decode(bytes)) as unknown[];
    const [service, module, name, now] = names;
    const isCursor =
      SORTABLE.includes(sort as Column) &&
      (order === "asc" || order === "desc") &&
      (value === null || typeof value === "number" || typeof value === "string") &&
      typeof service === "string" &&
      typeof module === "string" &&
      typeof name === "string" &&
      typeof now === "number" &&
      now >= 0;
    if (!isCursor) return undefined;
    return {
      sorting: { sort: sort as Column, order },
      last: { service, module, function: name, [sort as Column]: value },
      now,
    };
  } catch {
    return undefined;
  }
}

type Value = number | string | null;

function compareValues(a: Value, b: Value, direction: number): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  return compare(a, b) * direction;
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
