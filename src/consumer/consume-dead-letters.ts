/**
 * Consumes the dead-letter queue. It holds flushes that used up all attempts of the first queue. Applies each once more to
 * learn the reason, and marks those that fail again as dead letters in their buffers.
 */
import { refusalOf } from "../refusal.ts";
import { wakeSinks } from "../sinks/sinks.ts";
import { applyDeliveries } from "./apply.ts";
import { readDeliveries } from "./deliveries.ts";
import { confirmDeliveries, recallBefore, reportDead, reportRefused } from "./report.ts";

export async function consumeDeadLetters(batch: MessageBatch, env: Env): Promise<void> {
  const { readable, unreadable } = readDeliveries(batch);
  const { applied, premature, failed, sinks } = await applyDeliveries(env.DB, readable);
  await confirmDeliveries(env, applied);
  await recallBefore(env, premature);
  await wakeSinks(env, sinks);
  for (const { delivery, error } of failed) {
    const refusal = refusalOf(error);
    if (refusal) {
      await reportRefused(env, delivery, refusal);
      continue;
    }
    const reason = error instanceof Error ? error.message : String(error);
    await reportDead(env, delivery.message, delivery.flush, reason);
  }
  for (const { message, id, reason } of unreadable) await reportDead(env, message, id, reason);
}
