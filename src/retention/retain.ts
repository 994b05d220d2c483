/**
 * The hourly retention job. It has flushes sent again that D1 has lost, raises the low watermark of the ledger, closes hours and days, deletes old minutes and hours
 * that closed ones include, and deletes the rows that deleted functions left behind. Once a day it also deletes failures that
 * have not occurred for a year.
 *
 * D1 holds all state about the job's progress. Whatever a run leaves undone, for whatever reason, the next run finds.
 */
import { allBuffers } from "../buffer/buffers.ts";
import { log, logError } from "../log.ts";
import { recallLost } from "../recall/recall-lost.ts";
import { floorTo } from "../stats/interval.ts";
import { DAY, expiredBefore, hoursEndedBefore } from "../stats/tiers.ts";
import { closeRollups } from "../store/close-rollups.ts";
import { readClosed, type Tier } from "../store/closed.ts";
import { deleteExpired } from "../store/delete-expired.ts";
import { deleteLeftovers, forgetDeletions } from "../store/delete-leftovers.ts";
import { type LastRetention, readLastRetention, recordRetention } from "../store/last-retention.ts";
import { raiseLowWatermark } from "../store/ledger.ts";
import { pruneFailures } from "../store/prune-failures.ts";
import { keepForSinks } from "./keep-for-sinks.ts";

/** Rollups that one transaction adds up. Other transactions wait for it. */
const CHUNK = 20_000;
/** Deleting a rollup takes a fraction of the time that adding it up takes, so that many more of them go at once. */
const DELETED_FOR_EACH_CLOSED = 4;
/** Chunks in one run, of at most 3 statements each. With the other steps that is below 50, which the Free plan allows. */
const MAX_CHUNKS = 11;
const FAILURE_KEPT_MS = 365 * DAY * 1000;

/**
 * Does the work that is due, up to the limits of one run. Safe to run twice, concurrently, and while flushes are applied, because
 * each step is one transaction. A step that fails is logged and does not stop the others.
 *
 * @throws if D1 cannot record the run
 */
export async function retain(
  env: Pick<Env, "BUFFER" | "DB" | "SINKS">,
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
  const mayContinue = () => {
    if (chunks++ < maxChunks) return true;
    report.complete = false;
    return false;
  };
  const close = async (tier: Tier, target: number) => {
    let state = await readClosed(env.DB, tier);
    while (state.until < target && mayContinue()) {
      const closed = await closeRollups(env.DB, tier, state, target, chunk);
      state = closed ?? (await readClosed(env.DB, tier));
    }
    return state.until;
  };
  const expire = async (within: Tier, before: number) => {
    const limit = chunk * DELETED_FOR_EACH_CLOSED;
    while (mayContinue()) {
      const deleted = await deleteExpired(env.DB, within, before, limit);
      report.moved += deleted;
      if (deleted < limit) return;
    }
  };

  await attempt("recall", async () => {
    await recallLost(env);
  });
  await attempt("ledger", () => raiseLowWatermarks(env));
  await attempt("closing", async () => {
    const until = await close("hours", hoursEndedBefore(now));
    await close("days", floorTo(until, DAY));
  });
  await attempt("minutes and hours", async () => {
    const { minutes, hours } = await keepForSinks(env, now, expiredBefore(now));
    await expire("hours", minutes);
    await expire("days", hours);
  });
  await attempt("deletions", async () => {
    await forgetDeletions(env.DB);
    while ((await deleteLeftovers(env.DB, chunk)) > 0) {
      if (!mayContinue()) return;
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
