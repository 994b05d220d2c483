/** Tells the buffers which flushes were applied, which are dead letters, and what D1 lacks. Acks the messages. */
import { bufferNamed } from "../buffer/buffers.ts";
import type { FlushId } from "../flush.ts";
import { logError } from "../log.ts";
import type { Refusal } from "../refusal.ts";
import { recallLost } from "../recall/recall-lost.ts";
import { readOutcome } from "../store/ledger.ts";
import { type Delivery, retryLater } from "./deliveries.ts";

type Buffers = Pick<Env, "BUFFER">;

/**
 * Confirms flushes that D1 has. If a buffer does not answer, the queue delivers its messages again. Applying them again writes
 * nothing, and the confirmation is repeated.
 */
export async function confirmDeliveries(
  env: Buffers & Pick<Env, "DB">,
  applied: readonly Delivery[],
): Promise<void> {
  // WARNING: group by epoch too. A buffer ignores another epoch's confirmation, with all ids in it.
  const groups = Map.groupBy(applied, ({ flush }) => `${flush.epoch}\n${flush.buffer}`);
  for (const deliveries of groups.values()) {
    const { buffer, epoch } = deliveries[0]!.flush;
    try {
      const dead = await bufferNamed(env, buffer).confirm(
        epoch,
        deliveries.map(({ flush }) => flush.n),
      );
      for (const n of dead) await confirmDead(env, { buffer, epoch, n });
      for (const { message } of deliveries) message.ack();
    } catch (error) {
      logError("confirm_failed", error, { epoch });
      for (const { message } of deliveries) retryLater(message);
    }
  }
}

/**
 * Confirms a dead letter that D1 knows: it has applied it, or a person has dropped it and the buffer was not told. If D1 went
 * back meanwhile and does not know it any more, the buffer sends it again.
 */
async function confirmDead(
  env: Buffers & Pick<Env, "DB">,
  { buffer: name, epoch, n }: FlushId,
): Promise<void> {
  const outcome = await readOutcome(env.DB, epoch, n);
  const buffer = bufferNamed(env, name);
  if (outcome === "applied") await buffer.confirmApplied(epoch, n);
  if (outcome === "dropped") await buffer.confirmDropped(epoch, n);
}

/**
 * D1 refuses until something changes: a limit of the day, or its schema. The buffer keeps the flush and sends it again, at
 * most hourly, so that the flush does not become a dead letter and the queue is not used up.
 */
export async function reportRefused(
  env: Buffers,
  { message, flush: { buffer } }: Delivery,
  refusal: Refusal,
): Promise<void> {
  try {
    await bufferNamed(env, buffer).noteRefusal(refusal);
    message.ack();
  } catch (error) {
    logError("note_refusal_failed", error);
    retryLater(message);
  }
}

/**
 * D1 lacks a deletion that it had confirmed, so it was restored to an earlier time. Has the buffer send the deletion again.
 * The buffer keeps the flushes that must come after it, and sends them again too, so their messages are not needed any more.
 */
export async function recallBefore(
  env: Pick<Env, "BUFFER" | "DB">,
  premature: readonly Delivery[],
): Promise<void> {
  if (premature.length === 0) return;
  logError("premature", "D1 lacks a deletion that it had confirmed.", {
    flushes: premature.map(({ flush }) => flush.n),
  });
  for (const { message } of premature) message.ack();
  try {
    await recallLost(env);
  } catch (error) {
    // The hourly job does it too.
    logError("recall_failed", error);
  }
}

/**
 * Marks a flush as a dead letter in its buffer. The buffer keeps the flush, so the message is not needed any more. If the
 * buffer does not answer, the queue delivers the message again.
 */
export async function reportDead(
  env: Buffers,
  message: Message,
  { buffer, epoch, n }: FlushId,
  reason: string,
): Promise<void> {
  logError("dead_letter", reason, { epoch, n });
  try {
    await bufferNamed(env, buffer).markDead(epoch, n, reason);
    message.ack();
  } catch (error) {
    logError("mark_dead_failed", error, { epoch, n });
    retryLater(message);
  }
}
