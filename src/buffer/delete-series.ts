/**
 * Deletes series: all their calls that the buffer has acknowledged so far, wherever these are by now. Calls that are
 * acknowledged later count.
 *
 * The deletion gets an id of its own, like a flush, and travels to D1 in the same way. D1 deletes the rows, and from then on
 * ignores the series in flushes with lower ids. The buffer removes the series from everything that it holds. Until the
 * deletion is confirmed it seals nothing, so no flush with a higher id can reach D1 before the deletion.
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
    // A read that has some of the old pages must start over in any case.
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
