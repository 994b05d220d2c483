/** Compares shares of failed calls: tells whether two shares differ by more than chance. */

/** Calls and failed calls of one period of time. */
export interface Counts {
  /** Epoch seconds at which it starts. */
  start: number;
  calls: number;
  errors: number;
}

/**
 * How many standard deviations `errors` of `calls` lie above the share `usual`, negative if below it. The signed root
 * of the binomial deviance, divided by the overdispersion. The usual (observed - expected) / deviation is too large
 * where few errors are expected: three errors where 0.1 are expected give 9 there, and 3.8 here.
 *
 * Source: McCullagh, Nelder, Generalized Linear Models, 2nd ed. 1989, 4.5 (overdispersion) and 12.6 (deviance).
 *
 * @param usual above 0 and below 1
 * @param overdispersion how many times the variance exceeds that of independent calls; at least 1
 */
export function deviationsAbove(
  calls: number,
  errors: number,
  usual: number,
  overdispersion: number,
): number {
  const share = errors / calls;
  const failed = share > 0 ? share * Math.log(share / usual) : 0;
  const succeeded = share < 1 ? (1 - share) * Math.log((1 - share) / (1 - usual)) : 0;
  const deviance = Math.max(0, 2 * calls * (failed + succeeded));
  return Math.sign(share - usual) * Math.sqrt(deviance / overdispersion);
}

/**
 * The lowest share that is still plausible, `z` standard deviations below the observed share.
 *
 * Source: Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
 */
export function lowestPlausibleShare(calls: number, errors: number, z: number): number {
  const share = errors / calls;
  const centre = share + (z * z) / (2 * calls);
  const margin = z * Math.sqrt((share * (1 - share)) / calls + (z * z) / (4 * calls * calls));
  return Math.max(0, (centre - margin) / (1 + (z * z) / calls));
}

/** How often the calls of a function usually fail. */
export interface Usual {
  calls: number;
  errors: number;
  /** The share of failed calls. Always above 0, because a function without errors so far can still fail. */
  share: number;
}

export function usualOf(calls: number, errors: number): Usual {
  return { calls, errors, share: (errors + 0.5) / (calls + 1) };
}
