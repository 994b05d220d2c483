/** Consumes the queue of flushes: applies them to D1, confirms them to their buffers, and acks their messages. */
import { log, logError } from "../log.ts";
import { refusalOf } from "../refusal.ts";
import { wakeSinks } from "../sinks/sinks.ts";
import { applyDeliveries } from "./apply.ts";
import { readDeliveries, retryLater } from "./deliveries.ts";
import { confirmDeliveries, recallBefore, reportDead, reportRefused } from "./report.ts";

export async function consumeFlushes(batch: MessageBatch, env: Env): Promise<void> {
  const { readable, unreadable } = readDeliveries(batch);
  const { applied, premature, failed, sinks } = await applyDeliveries(env.DB, readable);
  for (const { delivery, error } of failed) {
    const { epoch, n } = delivery.flush;
    logError("apply_failed", error, { epoch, n, attempts: delivery.message.attempts });
    const refusal = refusalOf(error);
    if (refusal) await reportRefused(env, delivery, refusal);
    else retryLater(delivery.message);
  }
  await confirmDeliveries(env, applied);
  await recallBefore(env, premature);
  await wakeSinks(env, sinks);
  // No retry, because this deployment could not read them then either.
  for (const { message, id, reason } of unreadable) await reportDead(env, message, id, reason);
  if (applied.length > 0) log("applied", { flushes: applied.map(({ flush }) => flush.n) });
}
