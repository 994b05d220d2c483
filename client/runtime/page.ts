/** The collector in pages: when a page is hidden or left, everything is sent at once, in pieces. */
import type { Batch } from "../batch.ts";
import { MAX_LEAVING_LENGTH } from "../limits.ts";
import { addressOf } from "../transport.ts";
import { keepListening, watchPage } from "./page-events.ts";
import type { Runtime, ScheduleParts } from "./runtime.ts";
import { createTimer } from "./timer.ts";
import { runOutsideZones } from "./zone.ts";

export const page: Runtime = {
  isPage: true,
  isWorker: false,
  isClockFrozen: false,
  advice:
    "Is the page offline, or do CORS_ORIGINS, a content security policy or an ad blocker stop it? The console says which.",
  runDetached: runOutsideZones,
  createAlarm: createTimer,

  watch(parts) {
    const { sender, planRest, store } = parts;
    /** Trouble of the collector must not become an error of the page. */
    const onHide = (): void => {
      try {
        runOutsideZones(() => sendAll(parts));
        // If the page lives on, what got no answer is sent again.
        planRest();
      } catch {
        // The token cannot be read. Everything stays pending.
      }
      store();
    };
    return { stop: watchPage({ onHide, onShow: sender.abort }), onLook: keepListening };
  },
};

/**
 * Sends everything before it returns: the page may be gone at any moment.
 *
 * @throws if the token cannot be read
 */
function sendAll({ settings, outbox, sender }: ScheduleParts): void {
  sender.sealAtOnce();
  // The browser may refuse the last ones, so the functions with the most calls go first.
  while (outbox.makeBatch(MAX_LEAVING_LENGTH, (a, b) => b.calls - a.calls));
  const handOver = async (batch: Batch): Promise<void> => {
    const canKeepAlive = "keepalive" in Request.prototype;
    if (canKeepAlive && (await sender.deliver(batch, true))) return;
    // A beacon has no answer: a page that lives on sends the batch again.
    if (outbox.batches.has(batch)) {
      batch.isHandedOver = navigator.sendBeacon?.(addressOf(settings, batch), batch.json);
    }
  };
  for (const batch of outbox.batches) if (!batch.isHandedOver) void handOver(batch);
}
