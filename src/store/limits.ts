/** The limits of the store. */

export const storeLimits = {
  /** Different failures that D1 keeps for one function. Further ones count under one name, `OTHER_FAILURES`. */
  failuresPerFunction: 100,
} as const;
