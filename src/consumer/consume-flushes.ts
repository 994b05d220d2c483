/** Consumes the queue of flushes: into D1, then confirmed to the buffer, then acked. */
import { log, logError } from "../log.ts";
import { applyDeliveries, confirmDeliveries, readDeliveries, retryLater } from "./apply.ts";

export async function consumeFlushes(batch: MessageBatch, env: Env): Promise<void> {
  const { applied, failed } = await applyDeliveries(env.DB, readDeliveries(batch));
  for (const { delivery, error } of failed) {
    const { epoch, n } = delivery.flush;
    logError("apply_failed", error, { epoch, n, attempts: delivery.message.attempts });
    retryLater(delivery.message);
  }
  await confirmDeliveries(env.BUFFER, applied);
  if (applied.length > 0) log("applied", { flushes: applied.map(({ flush }) => flush.n) });
}
