/** What one function did since it was last sealed: plain numbers, so that a call allocates nothing. */
import { now } from "./runtime.ts";
import type { State } from "./state.ts";
import { MAX_DURATION_MS } from "../src/stats/histogram.ts";
import { BUCKETS, MAX_FAILURES, SHORTEST_MS } from "./limits.ts";
import { fastBucketIndex } from "./bucket.ts";
import { describeFailure, type Failure } from "./failure.ts";

/** One function in one minute, sealed. */
export interface SealedSum {
  /** A sample of the wire format. */
  json: string;
  calls: number;
  /** Epoch milliseconds at which the minute starts. */
  at: number | undefined;
}

/**
 * Counts a call that ends now, in an error or not. One whose duration the clock did not see, or cannot have, is
 * unmeasured.
 */
export type Recorder = (startMs: number, isFailure?: boolean, error?: unknown) => void;

export function createRecorder(state: State, identity: { function: string; module: string }): Recorder {
  const emptySum = () => ({ calls: 0, errors: 0, unmeasured: 0, sumMs: 0, minMs: Infinity, maxMs: 0 });
  let sum = emptySum();
  // That of bucket 0 stands in the middle.
  const counts = new Uint32Array(BUCKETS);
  const failures = new Map<string, Failure>();

  const seal = (): void => {
    const at = state.minute;
    const histogram: Record<string, number> = {};
    counts.forEach((calls, place) => {
      if (calls) histogram[place - 1e3] = calls;
    });
    // Infinity, the minimum where nothing was measured, becomes null.
    const sample = { ...identity, at, ...sum, histogram, failures: [...failures.values()] };
    state.sums.add({ json: JSON.stringify(sample), calls: sum.calls, at });
    sum = emptySum();
    counts.fill(0);
    failures.clear();
  };

  return (startMs, isFailure, error) => {
    const nowMs = now();
    const durationMs = nowMs - startMs;
    // Written so that a clock that gives NaN is looked after too.
    if (!(sum.calls && nowMs < state.horizonMs!)) {
      state.look(nowMs);
    }
    if (!sum.calls++) state.open.add(seal);
    state.seen++;
    if (durationMs >= SHORTEST_MS && durationMs <= MAX_DURATION_MS) {
      sum.sumMs += durationMs;
      if (durationMs < sum.minMs) sum.minMs = durationMs;
      if (durationMs > sum.maxMs) sum.maxMs = durationMs;
      counts[fastBucketIndex(durationMs) + 1e3]!++;
    } else {
      sum.unmeasured++;
    }
    if (isFailure) {
      sum.errors++;
      const described = describeFailure(error);
      const key = JSON.stringify(described);
      const failure = failures.get(key) ?? described;
      failure.calls++;
      if (failures.size < MAX_FAILURES) failures.set(key, failure);
    }
  };
}
