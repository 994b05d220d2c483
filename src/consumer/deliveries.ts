/** Reads the messages that the queue delivers, and decides when a failed message is delivered again. */
import { decodeFlush, type Flush, type FlushId } from "../flush.ts";
import { logError } from "../log.ts";

/** A message with the flush that it carries. */
export interface Delivery {
  message: Message;
  flush: Flush;
}

/** A message with a flush that this code cannot read. */
export interface UnreadableDelivery {
  message: Message;
  id: FlushId;
  /** A sentence for the person who looks at dead letters. */
  reason: string;
}

export interface Deliveries {
  readable: Delivery[];
  unreadable: UnreadableDelivery[];
}

/**
 * Sorts the messages by whether they can be read. A message without a flush id can be neither applied nor marked in a
 * buffer, so it is logged and acked.
 */
export function readDeliveries(batch: MessageBatch): Deliveries {
  const deliveries: Deliveries = { readable: [], unreadable: [] };
  for (const message of batch.messages) {
    const decoded = decodeFlush(message.body);
    switch (decoded.status) {
      case "flush":
        deliveries.readable.push({ message, flush: decoded.flush });
        break;
      case "unreadable":
        deliveries.unreadable.push({ message, id: decoded.id, reason: decoded.reason });
        break;
      case "not_a_flush":
        logError("not_a_flush", "The buffer did not send this message. It is removed from the queue.", {
          queue: batch.queue,
          id: message.id,
        });
        message.ack();
    }
  }
  return deliveries;
}

/** Retries after 10 seconds, then after twice as long each time, up to 10 minutes. */
export function retryLater(message: Message): void {
  message.retry({ delaySeconds: Math.min(10 * 2 ** (message.attempts - 1), 600) });
}
