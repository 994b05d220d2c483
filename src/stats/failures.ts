/** Counts failed calls by error. Errors with the same name and message merge, and only this file merges them. */

/** An error's name and message, with the number of calls that ended in it. */
export interface Failure {
  name: string;
  message: string;
  calls: number;
}

/** A failure with the times between which it occurred, in epoch milliseconds. */
export interface SeenFailure extends Failure {
  firstSeen: number;
  lastSeen: number;
}

type Mergeable = Failure & Partial<Omit<SeenFailure, keyof Failure>>;

/** A string that is different for each error. Names and messages hold no control characters. */
export function failureKey({ name, message }: Pick<Failure, "name" | "message">): string {
  return `${name}\n${message}`;
}

/**
 * Each failure once, in order of first occurrence. Failures with equal keys merge: their calls add up, and their times,
 * where they have any, widen to cover both. Does not change its input.
 *
 * @param keyOf must tell failures of different series apart if the input has several series.
 */
export function mergeFailures<F extends Mergeable>(
  failures: Iterable<F>,
  keyOf: (failure: F) => string = failureKey,
): F[] {
  const merged = new Map<string, F>();
  for (const failure of failures) addFailure(merged, failure, keyOf(failure));
  return [...merged.values()];
}

/** Adds a failure to those in the map. Changes the map and its values, but never `failure` itself. */
export function addFailure<F extends Mergeable>(
  merged: Map<string, F>,
  failure: F,
  key: string = failureKey(failure),
): void {
  const known = merged.get(key);
  if (known === undefined) {
    merged.set(key, { ...failure });
    return;
  }
  known.calls += failure.calls;
  if (failure.firstSeen !== undefined) {
    known.firstSeen = Math.min(known.firstSeen ?? Infinity, failure.firstSeen);
  }
  if (failure.lastSeen !== undefined) known.lastSeen = Math.max(known.lastSeen ?? 0, failure.lastSeen);
}
