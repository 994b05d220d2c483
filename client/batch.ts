/** Sealed sums, and the batches that carry them. */
import { now, wallNow } from "./clock.ts";
import { CLOCK_DRIFT_MS, MAX_AGE_MS } from "./limits.ts";

/** The calls of one function in one minute. They do not change any more. */
export interface SealedSum {
  /** A sample of the wire format, without its time. */
  readonly json: string;
  readonly calls: number;
  /** When the first call ended: epoch milliseconds, 0 if there was no time. */
  readonly wallMs: number;
  /** The same on the monotonic clock. */
  readonly monotonicMs: number;
  /** There is a final answer: acknowledged or dropped. */
  isSettled?: boolean;
}

/** WARNING: never send these sums under another key, or other sums under this key. Either counts calls twice. */
export interface Batch {
  readonly key: string;
  readonly json: string;
  /** In the order of the samples. */
  readonly sums: readonly SealedSum[];
  /** When the batch was made, on the monotonic clock. */
  readonly madeMs: number;
  /** The same on the wall clock, as its body says; undefined if an earlier process made it. */
  readonly madeAt?: number;
  /** Until then it may be waiting for an answer, or 0. On Workers, an attempt can die with its invocation. */
  inFlightUntilMs: number;
  /** The JSON compressed. It is made once, so that every attempt sends the same bytes. */
  gzip?: ArrayBuffer;
  /** The browser has taken the batch over, and sends it even if the page is gone. */
  isHandedOver?: boolean;
}

/** `rest` is what the body has besides samples. */
export function makeBatch(key: string, sums: readonly SealedSum[], rest: object): Batch {
  const sentAt = wallNow();
  const samples = sums.map((sum) => `{"at":${Math.floor(dateOf(sum, sentAt))},${sum.json.slice(1)}`);
  // With the batch's age, `sentAt` shows the server by how much this clock is wrong.
  const json = `{"samples":[${samples.join()}],${JSON.stringify({ sentAt, ...rest }).slice(1)}`;
  return { key, json, sums, madeMs: now(), madeAt: sentAt, inFlightUntilMs: 0 };
}

/** 128 random bits. They do not depend on a clock or on `Math.random`, which tests replace. */
export function makeKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}

/**
 * When the calls happened, in epoch milliseconds of the wall clock as it is now.
 *
 * The wall clock can be set, and the monotonic clock can stop while a machine is asleep. So the wall clock's age holds if
 * it is the longer one, as after a sleep. It does not hold if it is shorter than the monotonic age, or longer by more than
 * any sample may be late: then the wall clock was set. Small differences are normal, since networks correct clocks.
 */
export function dateOf({ wallMs, monotonicMs }: SealedSum, nowWallMs: number): number {
  const monotonicAgeMs = now() - monotonicMs;
  if (!wallMs || !nowWallMs || !Number.isFinite(monotonicAgeMs)) return wallMs || nowWallMs;
  const excessMs = nowWallMs - wallMs - monotonicAgeMs;
  return excessMs < -CLOCK_DRIFT_MS || excessMs > MAX_AGE_MS ? nowWallMs - monotonicAgeMs : wallMs;
}
