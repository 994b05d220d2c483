/** What the parts of one collector share. */
import type { SealedSum } from "./recorder.ts";
import type { Batch } from "./outbox.ts";

export interface State {
  /** Calls that ended. */
  seen: number;
  /** Sums that hold a call and are not sealed. */
  openSums: number;
  /** What is on its way and waits for its answer. While it does, what comes in goes on to merge. */
  batch?: Batch | undefined;
  /** While the collector calls `fetch`, which may be a wrapped one: it must not report on its own reports. */
  muted?: boolean;
  /** Until when, in `performance.now()`, there is nothing to do but count: one comparison for all that may be due. */
  horizonMs: number;
  /** Looks at what is due, before a call is counted. Never throws. */
  look(nowMs: number): void;
  /** What is sealed and has no definite answer yet, oldest first. The first of these are the batch. */
  sums: Set<SealedSum>;
  push(sum: SealedSum): void;
  /** One attempt to deliver a batch. Gives the milliseconds to wait after a failure. */
  exchange(): Promise<number | undefined>;
  /** A beacon has no answer, so the batch stays; if the page lives on, it is sent again under its key. */
  beacon(): void;
  /** Hands all that is open to the outbox: what each function has, as of the minute that starts at `at`. */
  seal(): void;
  readonly seals: ((at: number) => void)[];
  /** Told of a call, and says when, in `performance.now()`, to be told of another. */
  wake(nowMs: number): number;
}
