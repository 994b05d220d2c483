/** The levels at which the errors of a function need attention. `npm run bench:attention` measures what they give. */
import { DAY, MINUTE } from "./tiers.ts";

export const errorLimits = {
  deviations: 4,
  /** Times the worst share that the function had over as long a time. */
  overWorst: 1.5,
  /** The worst share is capped at this, so that a function whose calls all fail is always reported. */
  maxWorst: 0.5,
  /** A shorter failure counts as usual if it also happens on another day. */
  shortSeconds: 30 * MINUTE,
  /** No share below this is reported. */
  minShare: 0.01,
  minErrors: 3,
  /** A function without a past fails above this share. One whose usual share is above it is reported as failing as usual. */
  highShare: 0.05,
  /** With fewer calls in the past week, a function has no past to compare with. */
  minPastCalls: 20,
  /** With fewer hours of five-minute sums, their worst share is not reliable. */
  minBinHours: 12,
  /** A failure that lasts longer counts as the usual state. */
  newForSeconds: 7 * DAY,
  /** The same for a function that failed from its first calls on. */
  newWithoutPastSeconds: DAY,
  /** How long a function that failed stays listed after its last call. */
  keptUncalledSeconds: DAY,
} as const;

/** The windows over which the share is judged, with the calls and failed calls that each needs. */
export const WINDOWS = [
  { minutes: 5, minCalls: 5, minErrors: 5 },
  { minutes: 60, minCalls: 5, minErrors: 4 },
  { minutes: 360, minCalls: 3, minErrors: 3 },
] as const;

/** Minutes of the longest window. */
export const MINUTES = 360;
