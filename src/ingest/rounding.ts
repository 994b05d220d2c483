/** Rounds durations once, on arrival, so that later sums are exact in any order. */

/** Whole microseconds of a duration in milliseconds. */
export function wholeMicroseconds(ms: number): number {
  return Math.round(ms * 1e3);
}

/**
 * A duration in milliseconds, rounded to a nanosecond. It has at most fifteen significant digits, so that SQLite's decimal
 * form returns it unchanged.
 */
export function wholeNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}
