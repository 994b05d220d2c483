/**
 * Deletes series: all calls that the buffer has acknowledged so far, in the buffer, in the queue and in D1. Calls that are
 * acknowledged later count.
 *
 * A deletion is a flush with an id of its own, and reaches D1 like any flush. D1 deletes the rows, and from then on ignores the
 * series in flushes with lower ids. The buffer removes the series from its own storage. It seals nothing until the deletion is
 * confirmed, so that no flush with a higher id can reach D1 before the deletion.
 */
import { FLUSH_VERSION } from "../flush.ts";
import { mergeDeltas } from "../stats/delta.ts";
import { isSelected, type SeriesSelector } from "../stats/series-id.ts";
import { chunkDeltas } from "./chunk-deltas.ts";
import type { KnownFunctions } from "./known-functions.ts";
import type { BufferLimits } from "./limits.ts";
import type { SealParts } from "./seal.ts";

export interface DeletionParts extends SealParts {
  functions: KnownFunctions;
}

/** Returns the id of the deletion, which is in the outbox and not sent yet. */
export function deleteSeries(
  { identity, pending, outbox, functions, transaction }: DeletionParts,
  limits: BufferLimits,
  selector: SeriesSelector,
  now: number,
): number {
  return transaction.run(() => {
    const all = [...pending.deltas()];
    const kept = all.filter((delta) => !isSelected(selector, delta));
    // In either case the generation changes, so that a read that has some of the old pages starts over.
    if (kept.length === all.length) pending.renew();
    else pending.replaceWith(chunkDeltas(mergeDeltas(kept), limits.flushBytes));
    outbox.removeSeries(selector);
    functions.forget(selector);
    const n = identity.next;
    identity.advance(1);
    outbox.add({ n, version: FLUSH_VERSION, deltas: "[]", deletion: selector }, now);
    return n;
  });
}
