/** Decides when to send: after an interval, and when the process or the page ends. */
import { now, sleep } from "./clock.ts";
import {
  EARLY_GAP_MS,
  FLUSH_MS,
  MAX_INTERVAL_MS,
  MAX_WORKER_INTERVAL_MS,
  OVERDUE_MS,
  POLL_MS,
} from "./limits.ts";
import type { CollectorOptions, FlushOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Sender } from "./sender.ts";
import type { Settings } from "./settings.ts";
import type { Timeline } from "./timeline.ts";

/** `store` is called when the page is left, after everything was sent that the browser takes. */
export function createSchedule(
  settings: Settings,
  timeline: Timeline,
  outbox: Outbox,
  sender: Sender,
  runtime: Runtime,
  waitUntil: CollectorOptions["waitUntil"],
  store: () => void,
) {
  const { isWorker } = runtime;
  const alarm = runtime.createAlarm(waitUntil);
  const intervalMs = isWorker ? Math.min(settings.intervalMs, MAX_WORKER_INTERVAL_MS) : settings.intervalMs;
  let dueMs = Infinity;
  let lastSentMs = -Infinity;
  let isClosed = false;

  const hasWork = (): boolean => !!(outbox.sums.size || outbox.batches.size || timeline.open.size);

  const attempt = async (): Promise<void> => {
    if (sender.isBusy() || sender.pauseMs()) return;
    lastSentMs = now();
    const onEnd = watch?.onAttempt?.();
    await sender.attempt();
    onEnd?.();
    if (outbox.sums.size || outbox.batches.size) await planIn(sender.pauseMs());
    // On Workers, the invocations that made these calls have planned for them.
    else if (timeline.open.size && !isWorker) void planIn(intervalMs);
  };

  const fire = (): Promise<void> => {
    dueMs = Infinity;
    // Whatever the clock says, which may have been set.
    sender.skipBackoff();
    return attempt();
  };

  /** An earlier plan holds. On Workers it returns what must be kept alive. */
  const planIn = (delayMs: number): Promise<void> | undefined => {
    const timeMs = now() + delayMs;
    if (isClosed || delayMs > MAX_INTERVAL_MS || timeMs >= dueMs) return undefined;
    dueMs = timeMs;
    return runtime.runDetached(() => alarm.set(delayMs, fire, hasWork));
  };

  /** Plans a POST for what is about to be counted. While an attempt runs or is repeated, its end decides. */
  timeline.onLook = (nowMs) => {
    watch?.onLook?.();
    if (!isWorker && (sender.isBusy() || outbox.batches.size)) return;
    let delayMs = intervalMs;
    if (timeline.open.size + outbox.sums.size >= settings.maxItems && !isWorker) {
      delayMs = Math.min(intervalMs, Math.max(0, lastSentMs + EARLY_GAP_MS - nowMs));
    }
    // The timer is lost, or the invocation that waited has died.
    if (nowMs > dueMs + OVERDUE_MS) {
      dueMs = Infinity;
      delayMs = 0;
    }
    const planned = planIn(delayMs);
    if (planned) alarm.keepAlive?.(planned);
  };

  /** Resolves to false when the time is up, which loses nothing. */
  const flush = async ({ timeoutMs = FLUSH_MS }: FlushOptions = {}): Promise<boolean> => {
    const endMs = now() + timeoutMs;
    // It may be the first to have a clock.
    timeline.look();
    await sender.seal();
    const owed = [...[...outbox.batches].flatMap(({ sums }) => sums), ...outbox.sums];
    while (owed.some(({ isSettled }) => !isSettled)) {
      if (!(now() < endMs)) return false;
      void attempt();
      // Not waiting for the attempt: on Workers it may be another invocation's, which has died.
      await sleep(POLL_MS);
    }
    return true;
  };

  const planRest = (): void => {
    if (hasWork()) void planIn(settings.retryMs);
  };
  const watch = runtime.watch?.({ settings, outbox, sender, flush, planRest, store });
  if (hasWork()) void planIn(0);

  return {
    flush,

    /** Does not wait for a backoff to end. */
    async close(options?: FlushOptions): Promise<boolean> {
      isClosed = true;
      alarm.cancel();
      watch?.stop();
      sender.skipBackoff();
      const isDone = await flush(options);
      if (!isDone) sender.abort();
      return isDone;
    },
  };
}
