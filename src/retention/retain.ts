/**
 * The hourly retention job. It raises the low watermark of the ledger, merges old minutes into hours and old hours into days,
 * and deletes the rows that deleted functions left behind. Once a day it also deletes failures that have not occurred for a
 * year.
 *
 * The job stores no progress. Each run finds the work that earlier runs left.
 */
import { allBuffers } from "../buffer/buffers.ts";
import { log, logError } from "../log.ts";
import { DAY, tierStarts } from "../stats/tiers.ts";
import { deleteLeftovers, forgetDeletions } from "../store/delete-leftovers.ts";
import { type LastRetention, readLastRetention, recordRetention } from "../store/last-retention.ts";
import { raiseLowWatermark } from "../store/ledger.ts";
import { type Move, moveRollups } from "../store/move-rollups.ts";
import { pruneFailures } from "../store/prune-failures.ts";

/** Rows in one transaction. Other transactions wait until it ends. */
const CHUNK = 10_000;
/** Transactions in one run, of 3 statements each. With the other steps that is below 50, which the Free plan allows. */
const MAX_CHUNKS = 14;
const FAILURE_KEPT_MS = 365 * DAY * 1000;

/**
 * Does the work that is due, up to the limits of one run. Safe to run twice, concurrently, and while flushes are applied, because
 * each step is one transaction. A step that fails is logged and does not stop the others.
 *
 * @throws if D1 cannot record the run
 */
export async function retain(
  env: Pick<Env, "BUFFER" | "DB">,
  now = Date.now(),
  { chunk = CHUNK, maxChunks = MAX_CHUNKS } = {},
): Promise<LastRetention> {
  const report: LastRetention = { finishedAt: now, moved: 0, prunedFailures: 0, complete: true };
  const attempt = async (step: string, run: () => Promise<void>) => {
    try {
      await run();
    } catch (error) {
      report.complete = false;
      logError("retention_failed", error, { step });
    }
  };
  let chunks = 0;
  const moveAll = async (move: Move, before: number) => {
    while (true) {
      if (chunks++ >= maxChunks) {
        report.complete = false;
        return;
      }
      const moved = await moveRollups(env.DB, move, before, chunk);
      report.moved += moved;
      if (moved < chunk) return;
    }
  };

  const { minutes, hours } = tierStarts(now);
  await attempt("ledger", () => raiseLowWatermarks(env));
  await attempt("minutes", () => moveAll("minutes", minutes));
  await attempt("hours", () => moveAll("hours", hours));
  await attempt("deletions", async () => {
    await forgetDeletions(env.DB);
    while ((await deleteLeftovers(env.DB, chunk)) > 0) {
      if (chunks++ >= maxChunks) {
        report.complete = false;
        return;
      }
    }
  });
  await attempt("failures", async () => {
    const last = await readLastRetention(env.DB);
    if (last && dayOf(last.finishedAt) === dayOf(now)) return;
    report.prunedFailures = await pruneFailures(env.DB, now - FAILURE_KEPT_MS, chunk);
  });
  await recordRetention(env.DB, report);
  log("retained", { ...report });
  return report;
}

/** Raises the low watermark of each buffer. A buffer that does not answer does not stop the others. */
async function raiseLowWatermarks(env: Pick<Env, "BUFFER" | "DB">): Promise<void> {
  const outcomes = await Promise.allSettled(
    allBuffers(env).map(async (buffer) => {
      const { epoch, n } = await buffer.settledBelow();
      await raiseLowWatermark(env.DB, epoch, n);
    }),
  );
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

function dayOf(epochMs: number): number {
  return Math.floor(epochMs / 1000 / DAY);
}
