/**
 * The hourly retention job: settles the ledger, moves what has aged into wider rollups, and once a day forgets old failures.
 * It keeps no place of its own: whatever a sweep leaves undone, however it ends, the next one finds.
 */
import { log, logError } from "../log.ts";
import { theBuffer } from "../buffer/buffers.ts";
import { DAY, tierStarts } from "../stats/tiers.ts";
import { type LastRetention, readLastRetention, recordRetention } from "../store/last-retention.ts";
import { raiseLowWatermark } from "../store/ledger.ts";
import { type Move, moveRollups } from "../store/move-rollups.ts";
import { pruneFailures } from "../store/prune-failures.ts";

/** Rows in one transaction, which holds up all others meanwhile. */
const CHUNK = 10_000;
/** Transactions in one sweep: its statements stay within the 50 that the free plan grants an invocation. */
const MAX_CHUNKS = 20;
const FAILURE_KEPT_MS = 365 * DAY * 1000;

/** Safe to run twice, at once, or while flushes are applied: each of its steps is one transaction. */
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
  await attempt("ledger", async () => {
    const { epoch, n } = await theBuffer(env).settledBelow();
    await raiseLowWatermark(env.DB, epoch, n);
  });
  await attempt("minutes", () => moveAll("minutes", minutes));
  await attempt("hours", () => moveAll("hours", hours));
  await attempt("failures", async () => {
    const last = await readLastRetention(env.DB);
    if (last && dayOf(last.finishedAt) === dayOf(now)) return;
    report.prunedFailures = await pruneFailures(env.DB, now - FAILURE_KEPT_MS, chunk);
  });
  await recordRetention(env.DB, report);
  log("retained", { ...report });
  return report;
}

function dayOf(epochMs: number): number {
  return Math.floor(epochMs / 1000 / DAY);
}
