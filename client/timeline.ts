/** The minute that calls fall into, and the sums that are still open in it. */
import type { SealedSum } from "./batch.ts";
import { now, wallNow } from "./clock.ts";
import { CHECK_CLOCK_MS, MAX_UNSTARTED, MINUTE_MS } from "./limits.ts";

/** A sum that takes more calls. */
interface OpenSum {
  seal(): void;
  snapshot(): SealedSum;
}

export class Timeline {
  /** A duration of 0 says nothing. */
  readonly isClockFrozen: boolean;
  /** Calls that ended. */
  seen = 0;
  /** Epoch minutes. It is 0 while there is no time, as in the global scope of a Worker. */
  minute = 0;
  wallMs = 0;
  /** Until then, on the monotonic clock, a call only counts: one comparison covers everything that may be due. */
  horizonMs = -Infinity;
  /** Set while the collector calls `fetch`, which may be a wrapped function: the collector does not report itself. */
  isMuted = false;
  readonly open = new Set<OpenSum>();
  /** Plans what is due. */
  onLook: (nowMs: number) => void = () => {};
  readonly #unstarted = new Set<() => void>();

  constructor(isClockFrozen: boolean) {
    this.isClockFrozen = isClockFrozen;
  }

  /** Reads the wall clock, and plans what is due. Never throws. */
  look(nowMs: number = now()): void {
    try {
      this.wallMs = wallNow();
      this.minute = Math.floor(this.wallMs / MINUTE_MS);
      // In a Worker's global scope there are no timers either. The next call looks again.
      if (!this.minute) return;
      this.horizonMs = nowMs + Math.min(CHECK_CLOCK_MS, MINUTE_MS - (this.wallMs % MINUTE_MS));
      this.onLook(nowMs);
    } catch {
      // Trouble of the collector must not reach the function that is being called.
    }
  }

  /**
   * Remembers a result that nobody uses yet; `count` is called when the next report is made. Returns what to call when it
   * is used.
   */
  expectStart(count: () => void): () => void {
    this.#unstarted.add(count);
    if (this.#unstarted.size > MAX_UNSTARTED) this.countUnstarted();
    return () => this.#unstarted.delete(count);
  }

  countUnstarted(): void {
    for (const count of this.#unstarted) {
      this.#unstarted.delete(count);
      count();
    }
  }
}
