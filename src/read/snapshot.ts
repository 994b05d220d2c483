/** Reads, page by page, the calls that a buffer holds and D1 may lack. */
import type { SnapshotCursor, SnapshotPage } from "../buffer/interface.ts";
import type { MetricsBuffer } from "../buffer/metrics-buffer.ts";
import { type Delta, parseDeltas } from "../stats/delta.ts";
import type { SeriesSelector } from "../stats/series-id.ts";

export interface Snapshot {
  epoch: string;
  /** The lowest flush id that the deltas in `pending` can get. */
  next: number;
  sealed: SealedFlush[];
  pending: Delta[];
  /** Flushes from the asked id on that D1 has applied, as far as the buffer keeps them. */
  applied: SealedFlush[];
  /** Whether the buffer is of a release that answers `applied` and tells dead letters from others. */
  hasApplied: boolean;
}

export interface SealedFlush {
  n: number;
  deltas: Delta[];
  deletion?: SeriesSelector | undefined;
  /** Whether it is a dead letter. Only the ledger tells whether a person has dropped it. */
  isDead?: boolean;
}

/** Undefined if the buffer sealed a flush between two pages. Then the pages do not fit together. */
export async function readSnapshot(
  buffer: DurableObjectStub<MetricsBuffer>,
  appliedFrom: number | null = null,
): Promise<Snapshot | undefined> {
  const snapshot: Snapshot = { epoch: "", next: 0, sealed: [], pending: [], applied: [], hasApplied: false };
  let cursor: SnapshotCursor | null = null;
  do {
    const page: SnapshotPage | { status: "changed" } = await buffer.snapshot(cursor, appliedFrom);
    if (page.status === "changed") return undefined;
    snapshot.epoch = page.epoch;
    snapshot.next = page.next;
    for (const { deltas, ...flush } of page.sealed) {
      snapshot.sealed.push({ ...flush, deltas: parseDeltas(deltas) });
    }
    snapshot.hasApplied ||= page.applied !== undefined;
    for (const { deltas, ...flush } of page.applied ?? []) {
      snapshot.applied.push({ ...flush, deltas: parseDeltas(deltas) });
    }
    for (const deltas of page.pending) snapshot.pending.push(...parseDeltas(deltas));
    cursor = page.cursor;
  } while (cursor);
  return snapshot;
}
