/**
 * The stored form of cells: one row holds one hour (by minute) or one day (by hour) of many functions, because each row that is
 * written is billed.
 */
import type { Cell } from "../../stats/call-cells.ts";

/** Numbers of each cell, one cell after the other. Each begins with its place in the hour or day. */
interface Packed {
  /** Place, calls, errors. */
  c: number[];
  /** Place, measured calls, microseconds. Only of functions whose durations a rule judges. */
  d?: number[];
  /** Place, slow calls, by the limit. */
  s?: Record<string, number[]>;
}

/** By number of the function. */
export type PackedCells = Record<string, Packed>;

/** Functions of one row. A row has at most 2 MB. */
export const FUNCTIONS_PER_ROW = 250;

export function partOf(n: number): number {
  return Math.floor(n / FUNCTIONS_PER_ROW);
}

/** @param from the start of the hour or day @param width of a cell; both in seconds */
export function pack(cells: readonly Cell[], from: number, width: number): Packed {
  const packed: Packed = { c: [] };
  for (const { start, calls, errors, measured, sumUs, slow } of cells) {
    const place = (start - from) / width;
    packed.c.push(place, calls, errors);
    if (measured > 0) (packed.d ??= []).push(place, measured, sumUs);
    for (const [limit, count] of Object.entries(slow ?? {})) {
      if (count > 0) ((packed.s ??= {})[limit] ??= []).push(place, count);
    }
  }
  return packed;
}

export function unpack({ c, d = [], s = {} }: Packed, from: number, width: number): Cell[] {
  const cells = new Map<number, Cell>();
  for (let i = 0; i < c.length; i += 3) {
    const start = from + c[i]! * width;
    cells.set(c[i]!, { start, calls: c[i + 1]!, errors: c[i + 2]!, measured: 0, sumUs: 0 });
  }
  for (let i = 0; i < d.length; i += 3) {
    const cell = cells.get(d[i]!);
    if (cell) [cell.measured, cell.sumUs] = [d[i + 1]!, d[i + 2]!];
  }
  for (const [limit, pairs] of Object.entries(s)) {
    for (let i = 0; i < pairs.length; i += 2) {
      const cell = cells.get(pairs[i]!);
      if (cell) (cell.slow ??= {})[limit] = pairs[i + 1]!;
    }
  }
  return [...cells.values()].sort((a, b) => a.start - b.start);
}

/** The sum of cells, as one that begins at `start`. */
export function sumCells(cells: readonly Cell[], start: number): Cell {
  const sum: Cell = { start, calls: 0, errors: 0, measured: 0, sumUs: 0 };
  for (const { calls, errors, measured, sumUs, slow } of cells) {
    sum.calls += calls;
    sum.errors += errors;
    sum.measured += measured;
    sum.sumUs += sumUs;
    for (const [limit, count] of Object.entries(slow ?? {})) {
      (sum.slow ??= {})[limit] = (sum.slow[limit] ?? 0) + count;
    }
  }
  return sum;
}
