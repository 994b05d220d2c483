/** Reads, page by page, the calls that a buffer holds and D1 may lack. */
import type { SnapshotCursor, SnapshotPage } from "../buffer/interface.ts";
import type { MetricsBuffer } from "../buffer/metrics-buffer.ts";
import { type Delta, parseDeltas } from "../stats/delta.ts";
import type { SeriesSelector } from "../stats/series-id.ts";

export interface Snapshot {
  epoch: string;
  /** The lowest flush id that the deltas in `pending` can get. */
  next: number;
  sealed: { n: number; deltas: Delta[]; deletion?: SeriesSelector | undefined }[];
  pending: Delta[];
}

/** Undefined if the buffer sealed a flush between two pages. Then the pages do not fit together. */
export async function readSnapshot(buffer: DurableObjectStub<MetricsBuffer>): Promise<Snapshot | undefined> {
  const snapshot: Snapshot = { epoch: "", next: 0, sealed: [], pending: [] };
  let cursor: SnapshotCursor | null = null;
  do {
    const page: SnapshotPage | { status: "changed" } = await buffer.snapshot(cursor);
    if (page.status === "changed") return undefined;
    snapshot.epoch = page.epoch;
    snapshot.next = page.next;
    for (const { deltas, ...flush } of page.sealed) {
      snapshot.sealed.push({ ...flush, deltas: parseDeltas(deltas) });
    }
    for (const deltas of page.pending) snapshot.pending.push(...parseDeltas(deltas));
    cursor = page.cursor;
  } while (cursor);
  return snapshot;
}
