/** Counts the calls of one function: plain numbers, so that a call allocates nothing. */
import { MAX_BUCKET, MAX_DURATION_MS, MIN_BUCKET } from "../src/stats/histogram.ts";
import type { SealedSum } from "./batch.ts";
import { fastBucketIndex } from "./bucket.ts";
import { now } from "./clock.ts";
import { describeFailure, type Failure } from "./failure.ts";
import { MAX_FAILURES, SHORTEST_MS } from "./limits.ts";
import type { Timeline } from "./timeline.ts";

interface Identity {
  readonly function: string;
  readonly module: string;
}

/** The shortest step of the monotonic clock that any call has seen, in milliseconds. */
let clockStepMs = Infinity;

const noCalls = () => ({ calls: 0, errors: 0, unmeasured: 0, sumMs: 0, minMs: Infinity, maxMs: 0 });

/** A sum of one function's calls in one minute, which starts anew when it is sealed. */
export type FunctionSum = ReturnType<typeof createSum>;

/** `store` gets the sealed sums. */
export function createSum(identity: Identity, timeline: Timeline, store: (sum: SealedSum) => void) {
  /** The minute of the calls in this sum; -1 while there are none. */
  let minute = -1;
  let wallMs = 0;
  let monotonicMs = 0;
  let sum = noCalls();
  /** Calls by histogram bucket, from the lowest. */
  const counts = new Uint32Array(MAX_BUCKET - MIN_BUCKET + 1);
  const failures = new Map<string, Failure>();

  const begin = (nowMs: number): void => {
    functionSum.seal();
    // Plans to send what is about to be counted.
    timeline.look(nowMs);
    ({ minute, wallMs } = timeline);
    monotonicMs = nowMs;
    timeline.open.add(functionSum);
  };

  const functionSum = {
    /** Counts a call that ends now. */
    end(startMs: number): void {
      const nowMs = now();
      functionSum.add(nowMs - startMs, nowMs);
    },

    /** Counts a call of that duration. A duration that cannot be, such as NaN, makes it an unmeasured call. */
    add(durationMs: number, nowMs: number): void {
      // Not `>=`: a clock that gives NaN is looked at too.
      if (!(nowMs < timeline.horizonMs)) timeline.look(nowMs);
      if (minute !== timeline.minute) begin(nowMs);
      timeline.seen++;
      sum.calls++;
      if (durationMs >= SHORTEST_MS && durationMs <= MAX_DURATION_MS) {
        sum.sumMs += durationMs;
        if (durationMs < sum.minMs) sum.minMs = durationMs;
        if (durationMs > sum.maxMs) sum.maxMs = durationMs;
        if (durationMs < clockStepMs) clockStepMs = durationMs;
        counts[fastBucketIndex(durationMs) - MIN_BUCKET]!++;
      } else if (durationMs >= 0 && durationMs < SHORTEST_MS && !timeline.isClockFrozen) {
        // The call was shorter than a step of the clock. Left out, it would make the average too high.
        sum.minMs = 0;
        counts[0]!++;
      } else {
        sum.unmeasured++;
      }
    },

    /** Marks the last call as an error. */
    addFailure(error: unknown): void {
      sum.errors++;
      const described = describeFailure(error);
      const key = JSON.stringify(described);
      const failure = failures.get(key) ?? described;
      failure.calls++;
      if (failures.size < MAX_FAILURES) failures.set(key, failure);
    },

    /** Hands the calls so far over to the outbox, and starts anew. Nothing happens if there are none. */
    seal(): void {
      if (minute < 0) return;
      const sealed = functionSum.snapshot();
      timeline.open.delete(functionSum);
      minute = -1;
      sum = noCalls();
      counts.fill(0);
      failures.clear();
      store(sealed);
    },

    /** The calls so far. */
    snapshot(): SealedSum {
      const histogram: Record<string, number> = {};
      counts.forEach((calls, place) => {
        if (calls) histogram[MIN_BUCKET + place] = calls;
      });
      const sample = {
        ...identity,
        ...sum,
        // With it, the server can say "< 0.1 ms" of calls that were shorter than a step of the clock.
        clockStepMs: sum.minMs ? 0 : clockStepMs,
        histogram,
        failures: [...failures.values()],
      };
      return { json: JSON.stringify(sample, compactly), calls: sum.calls, wallMs, monotonicMs };
    },
  };
  return functionSum;
}

/** Rounds to nanoseconds, and leaves out what has the server's default. */
function compactly(key: string, value: unknown): unknown {
  if (typeof value === "number")
    return value || /^m..Ms$/.test(key) ? Math.round(value * 1e6) / 1e6 : undefined;
  return value === "" || (value as unknown[]).length === 0 ? undefined : value;
}
