/** Writes the values of series, whose unit is unknown: short in the chart. The table has all digits. */
import { text } from "../format.ts";

const UNITS = ["", "k", "M", "G", "T"];

/** Four digits and a power of a thousand: 1.234 k, −0.0123, 1.2e-7. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  const power = size < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3));
  const number = String(Number((size / 1000 ** power).toPrecision(4)));
  return `${value < 0 ? "−" : ""}${text({ number, unit: UNITS[power]! })}`;
}
