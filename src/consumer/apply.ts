/** Brings the flushes of one delivery into D1 and tells their buffers: what both queues' consumers do. */
import { logError } from "../log.ts";
import type { FlushMessage } from "../buffer/outbox.ts";
import { type Delta, readDelta } from "../stats/delta.ts";
import { applyFlushes } from "../store/apply-flushes.ts";

export interface Delivery {
  message: Message;
  flush: FlushMessage<Delta[]>;
}

export interface Outcome {
  /** In D1, now or before. */
  applied: Delivery[];
  /** Not known to be in D1. */
  failed: { delivery: Delivery; error: unknown }[];
}

/** The flushes in a batch of messages. What is no flush can never be applied nor confirmed: it is logged and acked. */
export function readDeliveries(batch: MessageBatch): Delivery[] {
  return batch.messages.flatMap((message) => {
    const flush = parseFlush(message.body);
    if (flush) return [{ message, flush }];
    logError("not_a_flush", "a message that the buffer did not send", { queue: batch.queue, id: message.id });
    message.ack();
    return [];
  });
}

/** All in one transaction; where that fails, one by one, so that one that D1 refuses stops no other. */
export async function applyDeliveries(db: D1Database, deliveries: readonly Delivery[]): Promise<Outcome> {
  if (deliveries.length === 0) return { applied: [], failed: [] };
  try {
    await applyFlushes(
      db,
      deliveries.map(({ flush }) => flush),
    );
    return { applied: [...deliveries], failed: [] };
  } catch (error) {
    if (deliveries.length === 1) return { applied: [], failed: [{ delivery: deliveries[0]!, error }] };
  }
  const outcome: Outcome = { applied: [], failed: [] };
  for (const delivery of deliveries) {
    const { applied, failed } = await applyDeliveries(db, [delivery]);
    outcome.applied.push(...applied);
    outcome.failed.push(...failed);
  }
  return outcome;
}

/**
 * Tells each buffer which of its flushes D1 has, and acks them. A confirmation that fails is tried again with its
 * message, which then writes nothing.
 */
export async function confirmDeliveries(buffers: Env["BUFFER"], applied: readonly Delivery[]): Promise<void> {
  const groups = Map.groupBy(applied, ({ flush }) => `${flush.epoch} ${flush.buffer}`);
  for (const deliveries of groups.values()) {
    const { buffer, epoch } = deliveries[0]!.flush;
    try {
      await buffers.getByName(buffer).confirm(
        epoch,
        deliveries.map(({ flush }) => flush.n),
      );
      for (const { message } of deliveries) message.ack();
    } catch (error) {
      logError("confirm_failed", error, { epoch });
      for (const { message } of deliveries) retryLater(message);
    }
  }
}

/** Ten seconds after the first attempt, then twice as long after each, up to ten minutes. */
export function retryLater(message: Message): void {
  message.retry({ delaySeconds: Math.min(10 * 2 ** (message.attempts - 1), 600) });
}

function parseFlush(body: unknown): FlushMessage<Delta[]> | undefined {
  if (typeof body !== "string") return undefined;
  try {
    const flush = JSON.parse(body) as Partial<FlushMessage<unknown[]>> | null;
    const isFlush =
      typeof flush?.buffer === "string" &&
      typeof flush.epoch === "string" &&
      Number.isInteger(flush.n) &&
      Array.isArray(flush.deltas);
    if (!isFlush) return undefined;
    return { ...(flush as FlushMessage<unknown[]>), deltas: flush.deltas!.map(readDelta) };
  } catch {
    return undefined;
  }
}
