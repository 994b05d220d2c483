/** Half-open ranges of time and rounding to whole steps, in epoch seconds. */

/** Includes `from` and excludes `to`, so ranges that follow each other share no moment. */
export interface Range {
  from: number;
  to: number;
}

export function isWithin(range: Range, epochSeconds: number): boolean {
  return epochSeconds >= range.from && epochSeconds < range.to;
}

/** The largest multiple of `step` that is not above `value`. */
export function floorTo(value: number, step: number): number {
  return Math.floor(value / step) * step;
}

/** The smallest multiple of `step` that is not below `value`. */
export function ceilTo(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
