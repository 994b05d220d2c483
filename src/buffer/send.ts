/** Sends sealed flushes to the queue. */
import { encodeFlush } from "../flush.ts";
import type { Identity } from "./identity.ts";
import type { DueFlush } from "./outbox.ts";

/**
 * Sends the flushes in order, `flushesPerSend` at a time. The queue delivers each at least once and in any order. That is
 * enough, because the outbox sends unconfirmed flushes again, and D1 applies each flush once.
 *
 * @throws if the queue refuses a send. The flushes before it were sent.
 */
export async function sendFlushes(
  queue: Queue,
  { name, epoch }: Pick<Identity, "name" | "epoch">,
  flushes: readonly DueFlush[],
  flushesPerSend: number,
): Promise<void> {
  for (let i = 0; i < flushes.length; i += flushesPerSend) {
    await queue.sendBatch(
      flushes.slice(i, i + flushesPerSend).map((flush) => ({
        // As text, because the buffer limits flushes by the length of their text.
        contentType: "text",
        body: encodeFlush({ buffer: name, epoch, ...flush }),
      })),
    );
  }
}
