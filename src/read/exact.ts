/**
 * Reads D1 and the buffers together, so that each acknowledged call counts exactly once, from its acknowledgement on: in
 * the buffer, on its way to D1, and in D1. All reads of functions use it, except `GET /attention`, which caches its reads.
 */
import { callAllBuffers } from "../buffer/buffers.ts";
import { callBinding } from "../call-binding.ts";
import { type Query, readWithLedger, type Rows } from "../store/read-with-ledger.ts";
import { BusyError } from "./errors.ts";
import { readSnapshot } from "./snapshot.ts";
import type { Delta } from "../stats/delta.ts";
import { isSelected, type SeriesId } from "../stats/series-id.ts";

export interface ExactRead<Queries extends readonly Query[]> {
  /**
   * D1's rows: one result for each query, all from the same moment. Rows of deleted series are left out if they hold the
   * names of the series. Rows that hold only a function's id are not filtered: match them with functions of the same read, or use
   * `isDeleted`.
   */
  stored: Rows<Queries>;
  /** Acknowledged deltas that `stored` does not include. Add them to it. */
  unapplied: Delta[];
  /** The same deltas, grouped as D1 will apply them: each sealed flush, then the pending deltas. */
  unappliedFlushes: Delta[][];
  /** Whether the series was deleted and D1's rows of it do not count. */
  isDeleted: (id: SeriesId) => boolean;
}

/** Removes the rows of series whose deletion has not reached D1 yet. */
function withoutDeleted<Stored extends readonly unknown[]>(
  stored: Stored,
  isDeleted: (id: SeriesId) => boolean,
): Stored {
  const isKept = (row: unknown) => !hasIdentity(row) || !isDeleted(row);
  return stored.map((rows) => (Array.isArray(rows) ? rows.filter(isKept) : rows)) as unknown as Stored;
}

function hasIdentity(row: unknown): row is SeriesId {
  return typeof row === "object" && row !== null && "service" in row && "module" in row && "function" in row;
}

/** A read starts over if a flush is sealed and reaches D1 during it. Both take milliseconds, so this is rare. */
const ATTEMPTS = 10;

/**
 * WARNING: read the snapshots of all buffers first and D1 after them. In the other order, a flush that is applied and
 * confirmed between the two reads is in neither.
 *
 * @throws {BusyError} if the buffer changed during every attempt
 * @throws {BindingFault} if the buffer or D1 does not answer
 */
export async function readExact<const Queries extends readonly Query[]>(
  env: Pick<Env, "BUFFER" | "DB">,
  queries: Queries,
): Promise<ExactRead<Queries>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshots = await callAllBuffers(env, (buffer) => readSnapshot(buffer));
    if (!snapshots.every((snapshot) => snapshot !== undefined)) continue;
    const positions = snapshots.map(({ epoch, sealed, next }) => ({ epoch, fromN: sealed[0]?.n ?? next }));
    const { rows, ledger } = await callBinding("D1", () => readWithLedger(env.DB, positions, queries));
    // If so, pending deltas of the snapshot were sealed and have reached D1. Adding them would count their calls twice.
    if (snapshots.some(({ next }, i) => ledger[i]!.highest >= next)) continue;
    const unapplied = snapshots.map(({ sealed }, i) => sealed.filter(({ n }) => !ledger[i]!.includes(n)));
    const unappliedFlushes = snapshots.flatMap(({ pending }, i) => [
      ...unapplied[i]!.map(({ deltas }) => deltas),
      pending,
    ]);
    const deletions = unapplied.flat().flatMap(({ deletion }) => deletion ?? []);
    const isDeleted = (id: SeriesId) => deletions.some((deletion) => isSelected(deletion, id));
    return {
      stored: deletions.length === 0 ? rows : withoutDeleted(rows, isDeleted),
      isDeleted,
      unapplied: unappliedFlushes.flat(),
      unappliedFlushes,
    };
  }
  throw new BusyError();
}
