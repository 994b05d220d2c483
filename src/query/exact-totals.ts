/**
 * The totals of every function, exact at once: each acknowledged call is in them exactly once, whether it is still
 * in the buffer, on its way, or in D1.
 */
import { unavailable } from "../error.ts";
import { addToTotals, functionKey, type FunctionTotals } from "../stats/delta.ts";
import { readTotals } from "../store/read-totals.ts";
import { readSnapshot } from "./snapshot.ts";

/** Each start over means that a flush was sealed and reached D1 within one read, which takes milliseconds. */
const ATTEMPTS = 10;

/**
 * WARNING: the snapshot first, D1 after. The other way round, a flush that is applied and confirmed in between would
 * be in neither.
 *
 * @throws {ErrorResponse} 503 where the buffer never stood still for the time of a read
 */
export async function readExactTotals(env: Pick<Env, "BUFFER" | "DB">): Promise<FunctionTotals[]> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const snapshot = await readSnapshot(env);
    if (!snapshot) continue;
    const lowest = snapshot.sealed[0]?.n ?? snapshot.next;
    const stored = await readTotals(env.DB, snapshot.epoch, lowest);
    // What was pending has been sealed meanwhile, and has reached D1: it would be counted twice.
    if (stored.highest >= snapshot.next) continue;

    const totals = new Map(stored.totals.map((row) => [functionKey(row), row]));
    for (const { n, deltas } of snapshot.sealed) {
      if (!stored.includes(n)) for (const delta of deltas) addToTotals(totals, delta);
    }
    for (const delta of snapshot.pending) addToTotals(totals, delta);
    return [...totals.values()];
  }
  throw unavailable("busy", "The buffer changed during every read. Ask again.", 1);
}
