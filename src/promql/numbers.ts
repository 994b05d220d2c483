/** Arithmetic and printing of sample values: compensated sums, shortest decimals, Go's `%g`, order of NaN. */

/**
 * A sum that carries its rounding error along, so that the order of large and small values hardly matters.
 * Kahan's summation with Neumaier's correction, as Prometheus sums.
 */
export class CompensatedSum {
  sum = 0;
  compensation = 0;

  add(value: number): void {
    const next = this.sum + value;
    this.compensation = compensate(this.sum, value, next, this.compensation);
    this.sum = next;
  }

  /** An overflowed sum stays infinite. */
  get total(): number {
    return isInfinite(this.sum) ? this.sum : this.sum + this.compensation;
  }
}

/** The compensation after `sum + value` was rounded to `next`. */
export function compensate(sum: number, value: number, next: number, compensation: number): number {
  if (isInfinite(next)) return 0;
  return Math.abs(sum) >= Math.abs(value)
    ? compensation + (sum - next + value)
    : compensation + (value - next + sum);
}

export const isInfinite = (value: number): boolean => value === Infinity || value === -Infinity;

/** A sample value as the HTTP API prints it: the shortest decimal that reads back as the same number, no exponent. */
export function formatValue(value: number): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  const text = String(value);
  if (!text.includes("e")) return Object.is(value, -0) ? "-0" : text;
  const { sign, digits, exponent } = decompose(value);
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return sign + digits + "0".repeat(exponent + 1 - digits.length);
}

/** Go's `%g`: shortest digits, with an exponent below 1e-4 and from 1e21 on, or from `threshold` digits on. */
export function formatGeneral(value: number, threshold = 21): string {
  const special = formatSpecial(value);
  if (special !== undefined) return special;
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const { sign, digits, exponent } = decompose(value);
  if (exponent >= -4 && exponent < threshold) return formatValue(value);
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const size = Math.abs(exponent);
  return `${sign}${digits[0]}${fraction}e${exponent < 0 ? "-" : "+"}${size < 10 ? "0" : ""}${size}`;
}

/** Ascending, with NaN first. */
export function compareAscending(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : -1;
  if (Number.isNaN(b)) return 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Ascending or descending, with NaN last in both. */
export function compareNaNLast(a: number, b: number, descending: boolean): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return descending ? compareAscending(b, a) : compareAscending(a, b);
}

/** Whether two values differ by no more than rounding, relative to their size. */
export function almostEqual(a: number, b: number, tolerance: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const size = Math.abs(a) + Math.abs(b);
  const difference = Math.abs(a - b);
  if (a === 0 || b === 0 || size < MIN_NORMAL) return difference < tolerance * MIN_NORMAL;
  return difference / Math.min(size, Number.MAX_VALUE) < tolerance;
}

/** The smallest positive double with full precision. */
const MIN_NORMAL = 2 ** -1022;

function formatSpecial(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return undefined;
}

/** The shortest digits of a finite number, and the power of ten of the first one. */
function decompose(value: number): { sign: string; digits: string; exponent: number } {
  const [mantissa = "", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return { sign: value < 0 ? "-" : "", digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}
