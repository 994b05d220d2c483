/** What the parts of one collector share. */
import type { SealedSum } from "./recorder.ts";
import type { Batch } from "./outbox.ts";

export interface State {
  /** Calls that ended. */
  seen: number;
  /** What seals the sums that are open: those that hold a call, and take more. */
  open: Set<() => void>;
  /** What is on its way and waits for its answer. While it does, what comes in goes on to merge. */
  batch?: Batch | undefined;
  /** While the collector calls `fetch`, which may be a wrapped one: it must not report on its own reports. */
  muted?: boolean;
  /** While the page's being hidden is told: what is not sent before that ends may never be. */
  hidden?: boolean;
  /** Until when, in `performance.now()`, there is nothing to do but count: one comparison for all that may be due. */
  horizonMs?: number;
  /** Looks at what is due, before a call is counted. Never throws. */
  look(nowMs: number): void;
  /** What is sealed and has no definite answer yet, oldest first. The first of these are the batch. */
  sums: Set<SealedSum>;
  /** One attempt to deliver a batch. Gives the milliseconds to wait after a failure. */
  exchange(): Promise<number | undefined>;
  /** The minute that calls fall into: epoch milliseconds at its start; none, or 0, while there is no clock, as in the global scope of a Worker. */
  minute?: number;
  /** Seals all that is open. */
  seal(): void;
}
