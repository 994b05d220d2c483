/** Counts the calls of one function: plain numbers, so that a call allocates nothing. */
import { MAX_BUCKET, MAX_DURATION_MS, MIN_BUCKET } from "../src/stats/histogram.ts";
import type { SealedSum } from "./batch.ts";
import { fastBucketIndex } from "./bucket.ts";
import { now } from "./clock.ts";
import { describeFailure, type Failure } from "./failure.ts";
import { MAX_FAILURES, SHORTEST_MS } from "./limits.ts";
import { isClockFrozen } from "./platform.ts";
import type { Timeline } from "./timeline.ts";

interface Identity {
  readonly function: string;
  readonly module: string;
}

/** The shortest step of the monotonic clock that any call has seen, in milliseconds. */
let clockStepMs = Infinity;

const noCalls = () => ({ calls: 0, errors: 0, unmeasured: 0, sumMs: 0, minMs: Infinity, maxMs: 0 });

export class FunctionSum {
  readonly #identity: Identity;
  readonly #timeline: Timeline;
  readonly #store: (sum: SealedSum) => void;
  readonly #isClockFrozen = isClockFrozen();
  /** The minute of the calls in this sum; -1 while there are none. */
  #minute = -1;
  #wallMs = 0;
  #monotonicMs = 0;
  #sum = noCalls();
  /** Calls by histogram bucket, from the lowest. */
  readonly #counts = new Uint32Array(MAX_BUCKET - MIN_BUCKET + 1);
  readonly #failures = new Map<string, Failure>();

  constructor(identity: Identity, timeline: Timeline, store: (sum: SealedSum) => void) {
    this.#identity = identity;
    this.#timeline = timeline;
    this.#store = store;
  }

  /** Counts a call that ends now. */
  end(startMs: number): void {
    const nowMs = now();
    this.add(nowMs - startMs, nowMs);
  }

  /** Counts a call of that duration. A duration that cannot be, such as NaN, makes it an unmeasured call. */
  add(durationMs: number, nowMs: number): void {
    // Not `>=`: a clock that gives NaN is looked at too.
    if (!(nowMs < this.#timeline.horizonMs)) this.#timeline.look(nowMs);
    if (this.#minute !== this.#timeline.minute) this.#begin(nowMs);
    this.#timeline.seen++;
    const sum = this.#sum;
    sum.calls++;
    if (durationMs >= SHORTEST_MS && durationMs <= MAX_DURATION_MS) {
      sum.sumMs += durationMs;
      if (durationMs < sum.minMs) sum.minMs = durationMs;
      if (durationMs > sum.maxMs) sum.maxMs = durationMs;
      if (durationMs < clockStepMs) clockStepMs = durationMs;
      this.#counts[fastBucketIndex(durationMs) - MIN_BUCKET]!++;
    } else if (durationMs >= 0 && durationMs < SHORTEST_MS && !this.#isClockFrozen) {
      // The call was shorter than a step of the clock. Left out, it would make the average too high.
      sum.minMs = 0;
      this.#counts[0]!++;
    } else {
      sum.unmeasured++;
    }
  }

  /** Marks the last call as an error. */
  addFailure(error: unknown): void {
    this.#sum.errors++;
    const described = describeFailure(error);
    const key = JSON.stringify(described);
    const failure = this.#failures.get(key) ?? described;
    failure.calls++;
    if (this.#failures.size < MAX_FAILURES) this.#failures.set(key, failure);
  }

  /** Hands the calls so far over to the outbox, and starts anew. Nothing happens if there are none. */
  seal(): void {
    if (this.#minute < 0) return;
    const sealed = this.snapshot();
    this.#timeline.open.delete(this);
    this.#minute = -1;
    this.#sum = noCalls();
    this.#counts.fill(0);
    this.#failures.clear();
    this.#store(sealed);
  }

  /** The calls so far. */
  snapshot(): SealedSum {
    const histogram: Record<string, number> = {};
    this.#counts.forEach((calls, place) => {
      if (calls) histogram[MIN_BUCKET + place] = calls;
    });
    const sample = {
      ...this.#identity,
      ...this.#sum,
      // With it, the server can say "< 0.1 ms" of calls that were shorter than a step of the clock.
      clockStepMs: this.#sum.minMs ? 0 : clockStepMs,
      histogram,
      failures: [...this.#failures.values()],
    };
    return {
      json: JSON.stringify(sample, compactly),
      calls: this.#sum.calls,
      wallMs: this.#wallMs,
      monotonicMs: this.#monotonicMs,
    };
  }

  #begin(nowMs: number): void {
    this.seal();
    // Plans to send what is about to be counted.
    this.#timeline.look(nowMs);
    this.#minute = this.#timeline.minute;
    this.#wallMs = this.#timeline.wallMs;
    this.#monotonicMs = nowMs;
    this.#timeline.open.add(this);
  }
}

/** Rounds to nanoseconds, and leaves out what has the server's default. */
function compactly(key: string, value: unknown): unknown {
  if (typeof value === "number")
    return value || /^m..Ms$/.test(key) ? Math.round(value * 1e6) / 1e6 : undefined;
  return value === "" || (value as unknown[]).length === 0 ? undefined : value;
}
