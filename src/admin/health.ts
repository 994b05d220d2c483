/** `GET /health`: what waits between the acknowledgement and D1, and since when. */
import { version } from "../../package.json";
import { problemsOfTokens } from "../access/tokens.ts";
import type { BufferHealth } from "../buffer/interface.ts";
import { ConfigurationError, readConfiguration } from "../configuration.ts";
import { logError } from "../log.ts";
import { theBuffer } from "../buffer/buffers.ts";
import { type LastRetention, readLastRetention } from "../store/last-retention.ts";
import { readLastApplied } from "../store/ledger.ts";

/** Null stands for nothing as well as for what cannot be known; then the problems say so. */
export interface Health {
  status: "ok" | "degraded";
  /** What a person should look at; empty where all is well. */
  problems: string[];
  /** Samples since the last flush was sealed, and the bytes that wait with them. */
  bufferedSamples: number | null;
  bufferedBytes: number | null;
  /** ISO 8601, as all times here; null where nothing waits. */
  oldestBufferedAt: string | null;
  /** Flushes that D1 is not known to have, dead letters among them. */
  unconfirmedFlushes: number | null;
  oldestUnconfirmedAt: string | null;
  /** Flushes that D1 keeps refusing. They are counted in every read, and tried again hourly. */
  deadLetters: number | null;
  /** When D1 took a flush last; null where it never did. */
  lastFlushAt: string | null;
  /** When the hourly retention job ended last; null where none did yet. */
  lastRetentionAt: string | null;
  /**
   * Services that sent more functions than are told apart, here or by their own client: the rest is counted under
   * `__overflow__`.
   */
  overflow: string[] | null;
  version: string;
}

type Bindings = Pick<
  Env,
  "BUFFER" | "DB" | "MAX_ITEMS" | "MAX_WAITING_TIME" | "INGEST_TOKENS" | "READ_TOKENS" | "ADMIN_TOKENS"
>;

/** A flush that is not in D1 after this long, in milliseconds, needs a look. It is not lost. */
const LATE_MS = 15 * 60 * 1000;
/** The sweep is hourly; so many milliseconds after the last one, it does not merely take its time. */
const SWEEP_LATE_MS = 3 * 60 * 60 * 1000;

/** Costs a few rows. Never throws: it is asked most when something else does. */
export async function readHealth(env: Bindings): Promise<Health> {
  const now = Date.now();
  const problems = problemsOfTokens(env);
  const known = async <Answer>(read: () => Promise<Answer>, problemOf: (error: unknown) => string) => {
    try {
      return await read();
    } catch (error) {
      logError("health_unknown", error);
      problems.push(problemOf(error));
      return undefined;
    }
  };
  const configuration = await known(async () => readConfiguration(env), configurationProblem);
  const buffer = await known(() => theBuffer(env).health(), bufferProblem);
  const stored = await known(
    () => Promise.all([buffer ? readLastApplied(env.DB, buffer.epoch) : null, readLastRetention(env.DB)]),
    () =>
      "D1 does not answer: when it took a flush last, and when the last retention job was, cannot be told.",
  );
  const [lastFlushAt = null, lastRetention] = stored ?? [];
  if (buffer) problems.push(...waitingProblems(buffer, configuration?.maxWaitingMs, now));
  if (lastRetention) problems.push(...retentionProblems(lastRetention, now));
  return {
    status: problems.length === 0 ? "ok" : "degraded",
    problems,
    bufferedSamples: buffer?.bufferedSamples ?? null,
    bufferedBytes: buffer?.bufferedBytes ?? null,
    oldestBufferedAt: iso(buffer?.oldestBufferedAt),
    unconfirmedFlushes: buffer?.unconfirmedFlushes ?? null,
    oldestUnconfirmedAt: iso(buffer?.oldestUnconfirmedAt),
    deadLetters: buffer?.deadLetters ?? null,
    lastFlushAt: iso(lastFlushAt),
    lastRetentionAt: iso(lastRetention?.finishedAt),
    overflow: buffer?.overflow ?? null,
    version,
  };
}

function configurationProblem(error: unknown): string {
  return error instanceof ConfigurationError ? error.message : "The configuration cannot be read.";
}

function bufferProblem(error: unknown): string {
  const isOverloaded = (error as { overloaded?: unknown } | null)?.overloaded === true;
  return `The buffer ${isOverloaded ? "is overloaded" : "does not answer"}: what waits in it cannot be told.`;
}

function waitingProblems(buffer: BufferHealth, maxWaitingMs: number | undefined, now: number): string[] {
  const { deadLetters, oldestUnconfirmedAt, oldestBufferedAt } = buffer;
  const problems: string[] = [];
  if (deadLetters > 0) problems.push(`D1 refuses ${deadLetters} flushes: GET /dead-letters says why.`);
  if (oldestUnconfirmedAt !== null && oldestUnconfirmedAt < now - LATE_MS) {
    problems.push("A flush has not reached D1 for a long time: look at the queue and at D1.");
  }
  const isLate = (since: number, afterMs: number) => since < now - afterMs - LATE_MS;
  if (oldestBufferedAt !== null && maxWaitingMs !== undefined && isLate(oldestBufferedAt, maxWaitingMs)) {
    problems.push("Samples wait in the buffer for longer than MAX_WAITING_TIME.");
  }
  return problems;
}

function retentionProblems({ complete, finishedAt }: LastRetention, now: number): string[] {
  const problems: string[] = [];
  if (!complete) {
    problems.push(
      "The last retention job left something undone: its log (retention_failed) says what failed, or there was more than one does.",
    );
  }
  if (finishedAt < now - SWEEP_LATE_MS) {
    problems.push(
      "The hourly retention job has not run for a long time: look at its cron trigger and its log.",
    );
  }
  return problems;
}

function iso(epochMs: number | null | undefined): string | null {
  return typeof epochMs === "number" ? new Date(epochMs).toISOString() : null;
}
