/**
 * Finds flushes that D1 had confirmed and lacks now: it was restored to an earlier time, emptied, or replaced by another
 * database. Has the buffers send those again that they keep. D1's ledger then takes each once, as always.
 */
import { callAllBuffers } from "../buffer/buffers.ts";
import type { Confirmed } from "../buffer/interface.ts";
import type { MetricsBuffer } from "../buffer/metrics-buffer.ts";
import { callBinding } from "../call-binding.ts";
import type { FlushRange } from "../flush.ts";
import { readAppliedBefore, readUnknown } from "../store/ledger.ts";

/** Flushes of one buffer that D1 lacks and that the buffer does not keep any more. */
export interface LostFlushes {
  epoch: string;
  flushes: number;
  last: number;
  /** When D1 applied the flush before the first of them, in epoch milliseconds; null if it does not know. */
  since: number | null;
}

/**
 * Returns what is lost of each buffer. Costs a few rows read if nothing is, and asks each buffer once.
 *
 * `isQuick` is for `GET /health`, which is asked often: while a dead letter waits, only the latest flushes are looked at.
 *
 * WARNING: ask the buffer first and D1 after it. In the other order, a flush that is confirmed meanwhile seems lost.
 *
 * @throws {BindingFault} if the buffer or D1 does not answer
 */
export async function recallLost(
  env: Pick<Env, "BUFFER" | "DB">,
  { isQuick = false } = {},
): Promise<LostFlushes[]> {
  const confirmed = await callAllBuffers(env, async (buffer) => ({ buffer, of: await buffer.confirmed() }));
  const each = await Promise.all(confirmed.map(({ buffer, of }) => recallOf(env.DB, buffer, of, isQuick)));
  return each.filter((lost) => lost !== undefined);
}

async function recallOf(
  db: D1Database,
  buffer: DurableObjectStub<MetricsBuffer>,
  { epoch, next, unconfirmed }: Confirmed,
  isQuick: boolean,
): Promise<LostFlushes | undefined> {
  const unknown = await callBinding("D1", () =>
    readUnknown(db, epoch, next, isQuick ? (unconfirmed[0] ?? null) : null),
  );
  const lacking = without(unknown, unconfirmed);
  if (lacking.length === 0) return undefined;
  const lost = await callBinding("The buffer", async () => await buffer.recall(epoch, lacking));
  if (lost.length === 0) return undefined;
  return {
    epoch,
    flushes: lost.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    last: lost.at(-1)!.last,
    since: await callBinding("D1", () => readAppliedBefore(db, epoch, lost[0]!.first)),
  };
}

/** Cuts the unconfirmed flushes out of the ranges. D1 need not know these. */
function without(ranges: readonly FlushRange[], unconfirmed: readonly number[]): FlushRange[] {
  return ranges.flatMap(({ first, last }) => {
    const pieces: FlushRange[] = [];
    let next = first;
    for (const n of unconfirmed.filter((id) => id >= first && id <= last)) {
      if (n > next) pieces.push({ first: next, last: n - 1 });
      next = n + 1;
    }
    return next > last ? pieces : [...pieces, { first: next, last }];
  });
}
