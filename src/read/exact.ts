/**
 * Exact reads: each acknowledged call is in them exactly once, at once, whether it is still in the buffer, on its
 * way, or in D1. Every answer about functions is read through here.
 */
import { callBinding } from "../binding-fault.ts";
import { unavailable } from "../http/error-response.ts";
import type { Delta } from "../stats/delta.ts";
import { type Query, readWithLedger, type Rows } from "../store/read-with-ledger.ts";
import { readSnapshot } from "./snapshot.ts";

export interface ExactRead<Queries extends readonly Query[]> {
  /** What D1 has, an answer for each query, all of the same moment. */
  stored: Rows<Queries>;
  /** What is acknowledged and not in D1, to be added to it. */
  unapplied: Delta[];
}

/** Each start over means that a flush was sealed and reached D1 within one read, which takes milliseconds. */
const ATTEMPTS = 10;

/**
 * WARNING: the snapshot first, D1 after. The other way round, a flush that is applied and confirmed in between would
 * be in neither.
 *
 * @throws {ErrorResponse} 503 where the buffer never stood still for the time of a read
 */
export async function readExact<const Queries extends readonly Query[]>(
  env: Pick<Env, "BUFFER" | "DB">,
  queries: Queries,
): Promise<ExactRead<Queries>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshot = await readSnapshot(env);
    if (!snapshot) continue;
    const lowest = snapshot.sealed[0]?.n ?? snapshot.next;
    const { rows, includes, highest } = await callBinding("D1", () =>
      readWithLedger(env.DB, snapshot.epoch, lowest, queries),
    );
    // What was pending has been sealed meanwhile, and has reached D1: it would be counted twice.
    if (highest >= snapshot.next) continue;
    const sealed = snapshot.sealed.filter(({ n }) => !includes(n)).flatMap(({ deltas }) => deltas);
    return { stored: rows, unapplied: [...sealed, ...snapshot.pending] };
  }
  throw unavailable("busy", "The buffer changed during every read. Ask again.", 1);
}
