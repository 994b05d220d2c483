/** Adds the failures of unapplied deltas to those that D1 holds. */
import { type Delta, seenFailuresOf } from "../stats/delta.ts";
import { addFailure, failureKey, mergeFailures, type SeenFailure } from "../stats/failures.ts";
import { MAX_FAILURES, OTHER_FAILURES } from "../store/apply-flushes.ts";

/**
 * Merges the failures of one function. D1 keeps a limited number of different failures; further ones count as "other",
 * here as there.
 */
export function mergeUnapplied(stored: readonly SeenFailure[], unapplied: readonly Delta[]): SeenFailure[] {
  const all = new Map(stored.map((failure) => [failureKey(failure), { ...failure }]));
  const incoming = mergeFailures(unapplied.flatMap(seenFailuresOf)).sort((a, b) => b.calls - a.calls);
  for (const failure of incoming) {
    const isKept = all.has(failureKey(failure)) || all.size < MAX_FAILURES;
    addFailure(all, isKept ? failure : { ...failure, name: OTHER_FAILURES, message: "" });
  }
  return [...all.values()];
}
