/** Keeps everything that waits for a final answer: sealed sums, and batches. It knows what became of every call. */
import { type Batch, dateOf, makeBatch, makeKey, type SealedSum } from "./batch.ts";
import { wallNow } from "./clock.ts";
import { MAX_AGE_MS, TIME_LENGTH } from "./limits.ts";
import type { DropReason } from "./options.ts";
import type { Reporter } from "./reporter.ts";
import type { Settings } from "./settings.ts";

/** The places of a batch's samples that the server rejected, and why it rejected the first of them. */
export interface Rejections {
  readonly places: ReadonlySet<number>;
  readonly reason: string;
}

export type Outbox = ReturnType<typeof createOutbox>;

export function createOutbox(settings: Settings, isPage: boolean, { reportDrop }: Reporter) {
  let acknowledged = 0;
  let length = 0;
  const dropped: Record<DropReason, number> = { rejected: 0, tooOld: 0, overMemory: 0 };
  /** Sums in no batch, oldest first. */
  const sums = new Set<SealedSum>();
  /** Oldest first. Normally there is one; a page that is hidden makes several. */
  const batches = new Set<Batch>();
  /** Keys of the next batches. A spool stores sums under the key that they will be sent with. */
  const keys: string[] = [];

  const remove = (sum: SealedSum): void => {
    if (sums.delete(sum)) length -= sum.json.length;
  };
  const drop = (lost: readonly SealedSum[], reason: DropReason, message: string): void => {
    lost.forEach(remove);
    const calls = settle(lost);
    if (!calls) return;
    dropped[reason] += calls;
    reportDrop({ reason, calls, message });
  };
  const keyAt = (place: number): string => (keys[place] ??= makeKey());
  /** A beacon has no headers, so a page's batches carry everything in their body. */
  const restOf = (key: string) => ({
    service: settings.service,
    ...(isPage && { idempotencyKey: key, token: settings.token }),
  });

  return {
    sums,
    batches,

    /** Adds a sum. Past the limit on memory it drops the oldest sums, but no batches: they may have arrived. */
    add: (sum: SealedSum): void => {
      sums.add(sum);
      length += sum.json.length;
      for (const oldest of sums) {
        if (length <= settings.maxMemory) return;
        drop([oldest], "overMemory", "The unsent sums needed more than maxMemory.");
      }
    },

    /**
     * Moves sums into a batch, as many as fit. A sum that is too long for any batch gets one of its own.
     *
     * @throws if the token cannot be read
     */
    makeBatch(maxLength: number, order?: (a: SealedSum, b: SealedSum) => number): Batch | undefined {
      const oldestAt = wallNow() - MAX_AGE_MS;
      const old = [...sums].filter((sum) => dateOf(sum, wallNow()) < oldestAt);
      drop(old, "tooOld", "They could not be delivered for 48 hours; the server accepts nothing older.");
      const taken = takeUpTo(maxLength, order ? [...sums].sort(order) : [...sums]);
      if (!taken.length) return undefined;
      const key = keyAt(0);
      const batch = makeBatch(key, taken, restOf(key));
      keys.shift();
      taken.forEach(remove);
      batches.add(batch);
      return batch;
    },

    /** What the next batches will be sent with. */
    keyAt,
    restOf,

    /** Counts the calls of a batch as acknowledged, except the rejected samples. A second answer changes nothing. */
    acknowledge(batch: Batch, { places, reason }: Rejections): void {
      if (!batches.delete(batch)) return;
      const rejected = batch.sums.filter((_, place) => places.has(place));
      drop(rejected, "rejected", reason);
      acknowledged += settle(batch.sums);
    },

    /** Counts the calls of a batch that the server refused as a whole. */
    refuse(batch: Batch, message: string): void {
      if (batches.delete(batch)) drop(batch.sums, "rejected", message);
    },

    /** What became of so many calls. */
    stats: (seen: number) => ({
      seen,
      acknowledged,
      pending: seen - acknowledged - dropped.rejected - dropped.tooOld - dropped.overMemory,
      dropped: { ...dropped },
    }),
  };
}

/** Returns the calls of those sums that had no final answer before. */
function settle(sums: readonly SealedSum[]): number {
  let calls = 0;
  for (const sum of sums) {
    if (!sum.isSettled) calls += sum.calls;
    sum.isSettled = true;
  }
  return calls;
}

/** The first of these sums, as many as fit into a batch. */
export function takeUpTo(maxLength: number, sums: readonly SealedSum[]): readonly SealedSum[] {
  let room = maxLength;
  const end = sums.findIndex(({ json }, place) => (room -= json.length + TIME_LENGTH) < 0 && place > 0);
  return end < 0 ? sums : sums.slice(0, end);
}
