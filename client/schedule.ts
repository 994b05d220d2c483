/** Decides when to send: after an interval, and when the process or the page ends. */
import { cancelTimer, now, sleep, startIdleTimer, type Timer } from "./clock.ts";
import { runDetached } from "./detached.ts";
import { watchExit, watchIdle } from "./exit.ts";
import {
  EARLY_GAP_MS,
  FLUSH_MS,
  MAX_INTERVAL_MS,
  MAX_TIMER_MS,
  MAX_WORKER_INTERVAL_MS,
  OVERDUE_MS,
  POLL_MS,
  WORKER_CHECK_MS,
} from "./limits.ts";
import type { CollectorOptions, FlushOptions } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { keepListening, watchPage } from "./page.ts";
import { isPage, platform } from "./platform.ts";
import type { Sender } from "./sender.ts";
import type { Settings } from "./settings.ts";
import type { Timeline } from "./timeline.ts";

/** `store` is called when the page is left, after everything was sent that the browser takes. */
export function createSchedule(
  settings: Settings,
  timeline: Timeline,
  outbox: Outbox,
  sender: Sender,
  waitUntil: CollectorOptions["waitUntil"],
  store: () => void,
) {
  const isWorker = !!(waitUntil || platform.WebSocketPair);
  const intervalMs = isWorker ? Math.min(settings.intervalMs, MAX_WORKER_INTERVAL_MS) : settings.intervalMs;
  let timer: Timer | undefined;
  let dueMs = Infinity;
  let lastSentMs = -Infinity;
  let isClosed = false;
  /** The process has waited long enough for the collector. */
  let hasWaited = false;

  const hasWork = (): boolean => !!(outbox.sums.size || outbox.batches.size || timeline.open.size);

  const attempt = async (): Promise<void> => {
    if (sender.isBusy() || sender.pauseMs()) return;
    lastSentMs = now();
    const stopWatching = watchIdle(settings.exitTimeoutMs, stopWaiting);
    await sender.attempt();
    stopWatching();
    if (outbox.sums.size || outbox.batches.size) await planIn(sender.pauseMs());
    // On Workers, the invocations that made these calls have planned for them.
    else if (timeline.open.size && !isWorker) void planIn(intervalMs);
  };

  const stopWaiting = (): void => {
    hasWaited = true;
    sender.abort();
  };

  const fire = (): Promise<void> => {
    dueMs = Infinity;
    // Whatever the clock says, which may have been set.
    sender.skipBackoff();
    return attempt();
  };

  /** Keeps a Worker's invocation alive until then. Ends early if a flush has sent everything. */
  const fireAt = async (timeMs: number): Promise<void> => {
    do {
      await sleep(Math.min(timeMs - now(), WORKER_CHECK_MS));
    } while (now() < timeMs && hasWork());
    await fire();
  };

  /** An earlier plan holds. On Workers it returns what must be kept alive. */
  const planIn = (delayMs: number): Promise<void> | undefined => {
    const timeMs = now() + delayMs;
    if (isClosed || delayMs > MAX_INTERVAL_MS || timeMs >= dueMs) return undefined;
    dueMs = timeMs;
    if (isWorker) return runDetached(() => fireAt(timeMs));
    cancelTimer(timer);
    timer = runDetached(() => startIdleTimer(() => void fire(), Math.min(delayMs, MAX_TIMER_MS)));
    return undefined;
  };

  /** Plans a POST for what is about to be counted. While an attempt runs or is repeated, its end decides. */
  timeline.onLook = (nowMs) => {
    if (isPage()) keepListening();
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
    if (planned) waitUntil?.(planned);
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

  const leaveProcess = async (): Promise<void> => {
    if (hasWaited) return;
    sender.skipBackoff();
    // The process does not wait for another flush.
    if (!(await flush({ timeoutMs: settings.exitTimeoutMs }))) stopWaiting();
  };

  /** Trouble of the collector must not become an error of the page. */
  const leavePage = (): void => {
    try {
      runDetached(sender.leave);
      // If the page lives on, what got no answer is sent again.
      if (hasWork()) void planIn(settings.retryMs);
    } catch {
      // The token cannot be read. Everything stays pending.
    }
    store();
  };

  const stops = isWorker ? [] : [watchExit(() => void leaveProcess())];
  if (isPage() && !isWorker) stops.push(watchPage({ onHide: leavePage, onShow: sender.abort }));
  if (isWorker && !waitUntil) {
    // Not as one text, so that bundlers for other platforms do not look for the module.
    const name = ["cloudflare", "workers"].join(":");
    import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(
      (workers: Pick<CollectorOptions, "waitUntil">) => (waitUntil = workers.waitUntil),
      // An old runtime. An invocation then sends only while it is alive by itself.
      () => {},
    );
  }
  if (hasWork()) void planIn(0);

  return {
    flush,

    /** Does not wait for a backoff to end. */
    async close(options?: FlushOptions): Promise<boolean> {
      isClosed = true;
      cancelTimer(timer);
      for (const stop of stops) stop();
      sender.skipBackoff();
      const isDone = await flush(options);
      if (!isDone) sender.abort();
      return isDone;
    },
  };
}
