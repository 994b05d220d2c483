/** The failures of a function: those in D1 together with those on their way. */
import * as z from "zod";
import { limits } from "../limits.ts";
import type { Delta } from "../stats/delta.ts";
import { OTHER_FAILURES } from "../store/apply-flushes.ts";
import type { SeenFailure } from "../store/read-failures.ts";
import { Seen, seen } from "./function-metrics.ts";

export const FailureMetrics = z.object({
  name: z.string(),
  message: z.string(),
  calls: z.int().meta({ description: "Calls that ended in it." }),
  ...Seen.shape,
});
export type FailureMetrics = z.infer<typeof FailureMetrics>;

/** The most frequent first. Past the number that is kept, new ones are counted together, as they will be in D1. */
export function listFailures(stored: readonly SeenFailure[], unapplied: readonly Delta[]): FailureMetrics[] {
  const all = new Map(stored.map((failure) => [keyOf(failure), { ...failure }]));
  for (const failure of mergeUnapplied(unapplied)) {
    const isKept = all.has(keyOf(failure)) || all.size < limits.failuresPerFunction;
    add(all, isKept ? failure : { ...failure, name: OTHER_FAILURES, message: "" });
  }
  return [...all.values()]
    .sort((a, b) => b.calls - a.calls || (keyOf(a) < keyOf(b) ? -1 : 1))
    .map(({ name, message, calls, ...at }) => ({ name, message, calls, ...seen(at) }));
}

function mergeUnapplied(deltas: readonly Delta[]): SeenFailure[] {
  const merged = new Map<string, SeenFailure>();
  for (const { failures, firstSeen, lastSeen } of deltas) {
    for (const failure of failures) add(merged, { ...failure, firstSeen, lastSeen });
  }
  return [...merged.values()].sort((a, b) => b.calls - a.calls);
}

function add(all: Map<string, SeenFailure>, failure: SeenFailure): void {
  const known = all.get(keyOf(failure));
  if (!known) {
    all.set(keyOf(failure), { ...failure });
    return;
  }
  known.calls += failure.calls;
  known.firstSeen = Math.min(known.firstSeen, failure.firstSeen);
  known.lastSeen = Math.max(known.lastSeen, failure.lastSeen);
}

function keyOf({ name, message }: { name: string; message: string }): string {
  return `${name}\n${message}`;
}
