/** Finds problems for `GET /health`. Each problem is a sentence that says what is wrong and where to look. */
import type { BuffersHealth } from "../read/buffer-health.ts";
import type { SinkState } from "../read/sinks.ts";
import type { LostFlushes } from "../recall/recall-lost.ts";
import { describeRefusal, refusalOf } from "../refusal.ts";
import type { LastRetention } from "../store/last-retention.ts";

/** A flush that is not in D1 after this many milliseconds is a problem. It is late, not lost. */
const LATE_FLUSH_MS = 15 * 60 * 1000;
/** The retention job runs hourly. If the last one ended longer ago than this many milliseconds, runs are missing. */
const LATE_RETENTION_MS = 3 * 60 * 60 * 1000;

/** `maxWaitingMs` is undefined if the configuration is invalid. */
export function bufferProblems(
  buffer: BuffersHealth,
  maxWaitingMs: number | undefined,
  now: number,
): string[] {
  const { deadLetters, oldestUnconfirmedAt, oldestBufferedAt } = buffer;
  const problems: string[] = [];
  if (deadLetters > 0) {
    problems.push(`D1 refuses ${counted(deadLetters, "flush", "flushes")}. GET /dead-letters says why.`);
  }
  if (oldestUnconfirmedAt !== null && oldestUnconfirmedAt < now - LATE_FLUSH_MS) {
    problems.push("A flush has not reached D1 for more than 15 minutes. Look at the queue and at D1.");
  }
  const isLate = (since: number, afterMs: number) => since < now - afterMs - LATE_FLUSH_MS;
  if (oldestBufferedAt !== null && maxWaitingMs !== undefined && isLate(oldestBufferedAt, maxWaitingMs)) {
    problems.push(
      "Samples have been in the buffer for longer than MAX_WAITING_TIME. Look at the buffer's log.",
    );
  }
  return problems;
}

export function retentionProblems({ complete, finishedAt }: LastRetention, now: number): string[] {
  const problems: string[] = [];
  if (!complete) {
    problems.push(
      "The last retention job did not finish its work. Look for retention_failed in the log. If it is not there, there " +
        "was more to do than one run does, and the next run continues.",
    );
  }
  if (finishedAt < now - LATE_RETENTION_MS) {
    problems.push(
      "The hourly retention job has not run for more than 3 hours. Look at its cron trigger and its log.",
    );
  }
  return problems;
}

export function sinkProblems(sinks: readonly SinkState[], now: number): string[] {
  return sinks.flatMap(({ name, state, trouble, refused }) => {
    const problems: string[] = [];
    if (state === "unknown")
      problems.push(`The object of the sink ${name} does not answer. How far it is is unknown.`);
    if (trouble?.isMisconfigured) {
      problems.push(
        `The sink ${name} is stopped since ${isoOf(trouble.since)}. ${trouble.reason} Correct the store, or the sink with ` +
          `PUT /sinks/${name}. Nothing is lost meanwhile.`,
      );
    } else if (trouble && trouble.since < now - LATE_FLUSH_MS) {
      problems.push(
        `The sink ${name} waits for its store since ${isoOf(trouble.since)}. ${trouble.reason} Nothing is lost meanwhile.`,
      );
    }
    if (refused > 0) {
      problems.push(
        `The store of the sink ${name} refuses ${counted(refused, "row", "rows")}. GET /sinks says why. Once the cause is ` +
          `gone, POST /sinks/${name}/resend.`,
      );
    }
    return problems;
  });
}

/** D1 lacks flushes that it had confirmed, and the buffer sends them again. */
export function recallProblems({ recalledFlushes, recalledSince }: BuffersHealth): string[] {
  if (recalledFlushes === 0) return [];
  const since = recalledSince === null ? "" : `, the oldest of ${new Date(recalledSince).toISOString()}`;
  return [
    `D1 lacks ${counted(recalledFlushes, "flush", "flushes")} that it had confirmed${since}. It was restored to an earlier ` +
      "time, emptied, or replaced by another database. The buffer has kept them and sends them again by itself.",
  ];
}

/** D1 lacks flushes that it had confirmed, and the buffer does not have them any more either. */
export function lossProblems(lost: readonly LostFlushes[]): string[] {
  return lost.map(({ flushes, since }) => {
    const after = since === null ? "" : ` after ${new Date(since).toISOString()}`;
    return (
      `D1 lacks ${counted(flushes, "flush", "flushes")} that it had confirmed${after}, and they are kept no longer ` +
      "(KEEP_FLUSHES_HOURS), so counters have fallen. D1 was restored to an earlier time, emptied, or replaced by another " +
      "database. npx metrics-collector repair says what can be done."
    );
  });
}

/** D1 or the queue refuses until something changes. Ingest goes on meanwhile. */
export function refusalProblems({ refusals }: BuffersHealth): string[] {
  return refusals.map(
    ({ by, refusal, since }) =>
      `${by} has refused flushes since ${new Date(since).toISOString()}. ${describeRefusal(refusal)} Until then the buffer ` +
      "takes calls and holds them, and every answer counts them.",
  );
}

/** Why D1 could not be read. */
export function unreadableStoreProblem(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal) return `D1 cannot be read. ${describeRefusal(refusal)}`;
  const isAnswer = /\bSQLITE_/.test(String(error));
  const problem = isAnswer
    ? "D1 answers with an error. Look for health_unknown in the log."
    : "D1 does not answer.";
  return `${problem} The times of the last flush and of the last retention job are unknown.`;
}

function isoOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
