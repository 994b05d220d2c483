/** Adds failures that D1 does not hold yet to those that it holds. */
import { type Delta, mergeDeltas, seenFailuresOf } from "../stats/delta.ts";
import { addFailure, failureKey, mergeFailures, type SeenFailure } from "../stats/failures.ts";
import { OTHER_FAILURES } from "../store/apply-flushes.ts";
import { storeLimits } from "../store/limits.ts";

/**
 * Merges the failures of one function. D1 keeps a limited number of different failures for each function. Those that came
 * first are kept; within one flush, the most frequent come first. Further ones count as "other". This function applies the
 * flushes one by one with the same rule, so that the list does not change when D1 applies them.
 */
export function mergeUnapplied(
  stored: readonly SeenFailure[],
  flushes: readonly (readonly Delta[])[],
): SeenFailure[] {
  const all = new Map(stored.map((failure) => [failureKey(failure), { ...failure }]));
  for (const deltas of flushes) {
    const known = new Set(all.keys());
    for (const failure of mergeFailures(mergeDeltas(deltas).flatMap(seenFailuresOf)).sort(byFrequency)) {
      const isKept = known.has(failureKey(failure)) || all.size < storeLimits.failuresPerFunction;
      addFailure(all, isKept ? failure : { ...failure, name: OTHER_FAILURES, message: "" });
    }
  }
  return [...all.values()];
}

/** The order in which D1 takes the failures of one flush. */
function byFrequency(a: SeenFailure, b: SeenFailure): number {
  return b.calls - a.calls || compareText(a.name, b.name) || compareText(a.message, b.message);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
