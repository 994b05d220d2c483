/**
 * Consumes the dead-letter queue: flushes that failed as often as the first queue allows. Each is tried once more,
 * to learn the reason; the buffer marks it and keeps it, so the message itself has no more to carry.
 */
import { logError } from "../log.ts";
import { applyDeliveries, confirmDeliveries, readDeliveries, retryLater } from "./apply.ts";

export async function consumeDeadLetters(batch: MessageBatch, env: Env): Promise<void> {
  const { applied, failed } = await applyDeliveries(env.DB, readDeliveries(batch));
  await confirmDeliveries(env.BUFFER, applied);
  for (const { delivery, error } of failed) {
    const { buffer, epoch, n } = delivery.flush;
    const reason = error instanceof Error ? error.message : String(error);
    logError("dead_letter", reason, { epoch, n });
    try {
      await env.BUFFER.getByName(buffer).markDead(epoch, n, reason);
      delivery.message.ack();
    } catch (markError) {
      logError("mark_dead_failed", markError, { epoch, n });
      retryLater(delivery.message);
    }
  }
}
