/** `GET /health`: what waits between the acknowledgement and D1. */
import { singletonBuffer } from "../shard.ts";

export interface Health {
  status: "ok" | "degraded";
  /** Samples and bytes that are in no flush yet. */
  bufferedSamples: number;
  bufferedBytes: number;
  /** ISO 8601; null where nothing waits. */
  oldestBufferedAt: string | null;
  /** Flushes that D1 is not known to have, dead letters among them. */
  unconfirmedFlushes: number;
  oldestUnconfirmedAt: string | null;
  /** Flushes that D1 keeps refusing. They are counted in every read, and tried again hourly. */
  deadLetters: number;
}

export async function readHealth(env: Pick<Env, "BUFFER">): Promise<Health> {
  using health = await singletonBuffer(env).health();
  const { oldestBufferedAt, oldestUnconfirmedAt, ...counts } = health;
  return {
    status: counts.deadLetters > 0 ? "degraded" : "ok",
    bufferedSamples: counts.bufferedSamples,
    bufferedBytes: counts.bufferedBytes,
    oldestBufferedAt: iso(oldestBufferedAt),
    unconfirmedFlushes: counts.unconfirmedFlushes,
    oldestUnconfirmedAt: iso(oldestUnconfirmedAt),
    deadLetters: counts.deadLetters,
  };
}

function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
