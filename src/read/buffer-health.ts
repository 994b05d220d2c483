/** Reads the health of all buffers and adds it up. */
import { callAllBuffers } from "../buffer/buffers.ts";
import type { BufferHealth } from "../buffer/interface.ts";
import type { NotedRefusal } from "../buffer/refusals.ts";

/** The sums over all buffers. `epochs` has one entry for each buffer. */
export type BuffersHealth = Omit<
  BufferHealth,
  "epoch" | "rejectedSamples" | "recalledFlushes" | "recalledSince" | "refusals"
> & {
  epochs: string[];
  recalledFlushes: number;
  recalledSince: number | null;
  refusals: NotedRefusal[];
  rejectedSamples: Record<string, number>;
};

/** Reads a few rows of each buffer. @throws {BindingFault} */
export async function readBufferHealth(env: Pick<Env, "BUFFER">): Promise<BuffersHealth> {
  const each = await callAllBuffers(env, async (buffer) => await buffer.health());
  const rejectedSamples: Record<string, number> = {};
  for (const [reason, samples] of each.flatMap((health) => Object.entries(health.rejectedSamples ?? {}))) {
    rejectedSamples[reason] = (rejectedSamples[reason] ?? 0) + samples;
  }
  const total = (field: "bufferedSamples" | "bufferedBytes" | "unconfirmedFlushes" | "deadLetters") =>
    each.reduce((sum, health) => sum + health[field], 0);
  const oldest = (field: "oldestBufferedAt" | "oldestUnconfirmedAt" | "recalledSince") => {
    const times = each.map((health) => health[field] ?? null).filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  };
  return {
    bufferedSamples: total("bufferedSamples"),
    bufferedBytes: total("bufferedBytes"),
    unconfirmedFlushes: total("unconfirmedFlushes"),
    deadLetters: total("deadLetters"),
    oldestBufferedAt: oldest("oldestBufferedAt"),
    oldestUnconfirmedAt: oldest("oldestUnconfirmedAt"),
    overflow: each.flatMap((health) => health.overflow),
    epochs: each.map(({ epoch }) => epoch),
    rejectedSamples,
    recalledFlushes: each.reduce((sum, health) => sum + (health.recalledFlushes ?? 0), 0),
    recalledSince: oldest("recalledSince"),
    refusals: each.flatMap((health) => health.refusals ?? []),
  };
}
