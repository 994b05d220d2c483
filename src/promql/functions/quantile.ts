/** Quantiles of lists of numbers. */
import { compareAscending } from "../numbers.ts";

/** The φ-quantile, between neighbours if need be. NaN counts as the lowest. Sorts the values. */
export function quantileOf(q: number, values: number[]): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  values.sort(compareAscending);
  const rank = q * (values.length - 1);
  const lower = Math.floor(rank);
  const upper = Math.min(values.length - 1, lower + 1);
  const weight = rank - lower;
  return values[lower]! * (1 - weight) + values[upper]! * weight;
}
