/** Seals pending deltas: merges them and moves them into flushes in the outbox. */
import { FLUSH_VERSION } from "../flush.ts";
import { log } from "../log.ts";
import { mergeDeltas } from "../stats/delta.ts";
import { chunkDeltas } from "./chunk-deltas.ts";
import type { Identity } from "./identity.ts";
import type { BufferLimits } from "./limits.ts";
import type { Outbox, SealedFlush } from "./outbox.ts";
import type { Pending } from "./pending.ts";
import type { Transaction } from "./transaction.ts";

export interface SealParts {
  identity: Identity;
  pending: Pending;
  outbox: Outbox;
  transaction: Transaction;
}

/**
 * Seals pending deltas until the limit of unconfirmed flushes is reached. Further deltas stay pending, merged. Returns the new
 * flushes, which are in the outbox and not sent yet.
 */
export function sealPending(parts: SealParts, limits: BufferLimits, now: number): SealedFlush[] {
  const { identity, pending, outbox, transaction } = parts;
  const { onTheWay, deletions } = outbox.summary;
  // WARNING: seal nothing while a deletion is unconfirmed. D1 could apply a flush with a higher id first, and the deletion
  // would then delete calls that were made after it.
  const room = deletions > 0 ? 0 : Math.max(0, limits.unconfirmedFlushes - onTheWay);
  const samples = pending.state.items;
  const chunks = chunkDeltas(mergeDeltas(pending.deltas()), limits.flushBytes);
  const flushes = chunks
    .slice(0, room)
    .map((deltas, i) => ({ n: identity.next + i, version: FLUSH_VERSION, deltas }));
  transaction.run(() => {
    for (const flush of flushes) outbox.add(flush, now);
    identity.advance(flushes.length);
    pending.replaceWith(chunks.slice(room));
  });
  log("sealed", {
    samples,
    flushes: flushes.map(({ n }) => n),
    leftBehind: chunks.length - flushes.length,
  });
  return flushes;
}
