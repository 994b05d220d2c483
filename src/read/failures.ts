/** Adds the failures of unapplied deltas to those that D1 holds. */
import type { Delta } from "../stats/delta.ts";
import { MAX_FAILURES, OTHER_FAILURES } from "../store/apply-flushes.ts";
import type { SeenFailure } from "../store/read-failures.ts";

/**
 * Merges the failures of one function. D1 keeps a limited number of different failures; further ones count as "other",
 * here as there.
 */
export function mergeUnapplied(stored: readonly SeenFailure[], unapplied: readonly Delta[]): SeenFailure[] {
  const all = new Map<string, SeenFailure>();
  for (const failure of stored) addFailure(all, failure);
  for (const failure of failuresIn(unapplied)) {
    const isKept = all.has(keyOf(failure)) || all.size < MAX_FAILURES;
    addFailure(all, isKept ? failure : { ...failure, name: OTHER_FAILURES, message: "" });
  }
  return [...all.values()];
}

/** Adds up failures of several series by name and message. */
export function sumFailures(failures: Iterable<SeenFailure>): SeenFailure[] {
  const all = new Map<string, SeenFailure>();
  for (const failure of failures) addFailure(all, failure);
  return [...all.values()];
}

function failuresIn(deltas: readonly Delta[]): SeenFailure[] {
  const all = deltas.flatMap(({ failures, firstSeen, lastSeen }) =>
    failures.map(({ name, message, calls }) => ({ name, message, calls, firstSeen, lastSeen })),
  );
  return sumFailures(all).sort((a, b) => b.calls - a.calls);
}

function addFailure(all: Map<string, SeenFailure>, failure: SeenFailure): void {
  const { name, message, calls, firstSeen, lastSeen } = failure;
  const known = all.get(keyOf(failure));
  if (!known) {
    all.set(keyOf(failure), { name, message, calls, firstSeen, lastSeen });
    return;
  }
  known.calls += calls;
  known.firstSeen = Math.min(known.firstSeen, firstSeen);
  known.lastSeen = Math.max(known.lastSeen, lastSeen);
}

function keyOf({ name, message }: { name: string; message: string }): string {
  return `${name}\n${message}`;
}
