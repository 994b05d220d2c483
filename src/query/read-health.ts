/** `GET /health`: what waits between the acknowledgement and D1, and since when. */
import { version } from "../../package.json";
import { readConfiguration } from "../configuration.ts";
import { singletonBuffer } from "../shard.ts";
import { readLastSweep } from "../store/last-sweep.ts";
import { readLastApplied } from "../store/ledger.ts";

export interface Health {
  status: "ok" | "degraded";
  /** What a person should look at; empty where all is well. */
  problems: string[];
  /** Samples since the last flush was sealed, and the bytes that wait with them. */
  bufferedSamples: number;
  bufferedBytes: number;
  /** ISO 8601, as all times here; null where nothing waits. */
  oldestBufferedAt: string | null;
  /** Flushes that D1 is not known to have, dead letters among them. */
  unconfirmedFlushes: number;
  oldestUnconfirmedAt: string | null;
  /** Flushes that D1 keeps refusing. They are counted in every read, and tried again hourly. */
  deadLetters: number;
  /** When D1 took a flush last; null where it never did. */
  lastFlushAt: string | null;
  /** When the hourly sweep ended last; null where none did yet. */
  lastSweepAt: string | null;
  /** Services that sent more functions than are told apart: the rest is counted under `__overflow__`. */
  overflow: string[];
  version: string;
}

/** A flush that is not in D1 after this long, in milliseconds, needs a look. It is not lost. */
const LATE_MS = 15 * 60 * 1000;

/** Costs a few rows. @throws {ConfigurationError} */
export async function readHealth(
  env: Pick<Env, "BUFFER" | "DB" | "MAX_ITEMS" | "MAX_WAITING_TIME">,
): Promise<Health> {
  const now = Date.now();
  const { maxWaitingMs } = readConfiguration(env);
  const buffer = await singletonBuffer(env).health();
  const [lastAppliedAt, lastSweep] = await Promise.all([
    readLastApplied(env.DB, buffer.epoch),
    readLastSweep(env.DB),
  ]);

  const problems: string[] = [];
  if (buffer.deadLetters > 0) {
    problems.push(`D1 refuses ${buffer.deadLetters} flushes: GET /dead-letters says why.`);
  }
  if (buffer.oldestUnconfirmedAt !== null && buffer.oldestUnconfirmedAt < now - LATE_MS) {
    problems.push("A flush has not reached D1 for a long time: look at the queue and at D1.");
  }
  if (buffer.oldestBufferedAt !== null && buffer.oldestBufferedAt < now - maxWaitingMs - LATE_MS) {
    problems.push("Samples wait in the buffer for longer than MAX_WAITING_TIME.");
  }
  return {
    status: problems.length === 0 ? "ok" : "degraded",
    problems,
    bufferedSamples: buffer.bufferedSamples,
    bufferedBytes: buffer.bufferedBytes,
    oldestBufferedAt: iso(buffer.oldestBufferedAt),
    unconfirmedFlushes: buffer.unconfirmedFlushes,
    oldestUnconfirmedAt: iso(buffer.oldestUnconfirmedAt),
    deadLetters: buffer.deadLetters,
    lastFlushAt: iso(lastAppliedAt),
    lastSweepAt: iso(lastSweep?.finishedAt ?? null),
    overflow: buffer.overflow,
    version,
  };
}

function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
