/** Guesses the unit of an epoch time. The ranges of the units do not overlap. */

export type TimeUnit = "seconds" | "milliseconds" | "microseconds" | "nanoseconds";

/**
 * The range of each unit covers the years from 1973 to 5138. A number below all ranges counts as milliseconds. It is too old
 * in any unit.
 */
export function unitOf(epochTime: number): TimeUnit {
  if (epochTime >= 1e17) return "nanoseconds";
  if (epochTime >= 1e14) return "microseconds";
  return epochTime >= 1e8 && epochTime < 1e11 ? "seconds" : "milliseconds";
}
