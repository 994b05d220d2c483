/** Reads, in pages, the calls that the buffer holds and D1 may lack: first the sealed flushes, then the pending deltas. */
import type { Identity } from "./identity.ts";
import type { SnapshotCursor, SnapshotPage } from "./interface.ts";
import type { Outbox } from "./outbox.ts";
import type { Pending } from "./pending.ts";

export interface SnapshotParts {
  identity: Identity;
  outbox: Outbox;
  pending: Pending;
}

/**
 * The page after the cursor; the first page if it is null. "changed" means that the buffer sealed something after the page
 * before: its deltas may have moved from pending to sealed, and the reader must start over.
 */
export function readSnapshotPage(
  { identity, outbox, pending }: SnapshotParts,
  cursor: SnapshotCursor | null,
  pageBytes: number,
): SnapshotPage | { status: "changed" } {
  if (cursor && cursor.generation !== pending.generation) return { status: "changed" };
  const { afterN = 0, afterId = 0 } = cursor ?? {};
  const sealed = outbox.page(afterN, pageBytes);
  // Pending rows come only with the last sealed flushes, because a page without a next cursor ends the snapshot.
  const unsealed = sealed.isLast ? pending.page(afterId, pageBytes) : { rows: [], isLast: false };
  return {
    status: "page",
    epoch: identity.epoch,
    next: identity.next,
    sealed: sealed.rows,
    pending: unsealed.rows.map(({ deltas }) => deltas),
    cursor: unsealed.isLast
      ? null
      : {
          generation: pending.generation,
          afterN: sealed.rows.at(-1)?.n ?? afterN,
          afterId: unsealed.rows.at(-1)?.id ?? afterId,
        },
  };
}
