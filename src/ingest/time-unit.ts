/** Tells in which unit an epoch time is probably given. The units are so far apart that their ranges do not overlap. */

export type TimeUnit = "seconds" | "milliseconds" | "microseconds" | "nanoseconds";

/**
 * Each range stands for the years from 1973 to 5138. A number below all ranges counts as milliseconds: it is too old in
 * any unit.
 */
export function unitOf(epochTime: number): TimeUnit {
  if (epochTime >= 1e17) return "nanoseconds";
  if (epochTime >= 1e14) return "microseconds";
  return epochTime >= 1e8 && epochTime < 1e11 ? "seconds" : "milliseconds";
}
