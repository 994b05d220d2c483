/** Sends flushes through the queue. */
import type { Identity } from "./identity.ts";
import type { SealedFlush } from "./outbox.ts";

/** The platform takes 256 KB in one `sendBatch`: two flushes of the largest size. */
const FLUSHES_PER_SEND = 2;

/** At least once and in any order: the outbox sends again what is not confirmed, and D1 applies a flush once. */
export async function sendFlushes(
  queue: Queue,
  { name, epoch }: Pick<Identity, "name" | "epoch">,
  flushes: readonly SealedFlush[],
): Promise<void> {
  for (let i = 0; i < flushes.length; i += FLUSHES_PER_SEND) {
    await queue.sendBatch(
      flushes.slice(i, i + FLUSHES_PER_SEND).map(({ n, deltas }) => ({
        // As text, since the size of text is known: cut to fit a message.
        contentType: "text",
        body: `{"buffer":${JSON.stringify(name)},"epoch":"${epoch}","n":${n},"deltas":${deltas}}`,
      })),
    );
  }
}
