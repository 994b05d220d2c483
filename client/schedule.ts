/** When to send: on a timer, or where there is none, along with the calls; one batch at a time. */
import { now, page } from "./runtime.ts";
import { CLOSE_MS, MAX_MARKS, MAX_TIMER_MS, MINUTE_MS, POLL_MS } from "./limits.ts";
import type { CollectorOptions, FlushOptions } from "./options.ts";
import type { SealedSum } from "./recorder.ts";
import type { State } from "./state.ts";

interface NodeProcess {
  on?(event: string, listener: () => unknown): void;
  off?(event: string, listener: () => unknown): void;
}

/** A socket that leads nowhere, of Workers: no invocation may look at one that another has made. */
interface Mark {
  readyState: number;
}

export function createSchedule(
  { waitUntil, intervalMs = 30_000, maxItems = 1_000, timeoutMs = 10_000 }: CollectorOptions,
  state: State,
) {
  const { process, WebSocketPair } = globalThis as {
    process?: NodeProcess;
    WebSocketPair?: new () => { 0: Mark };
  };
  /** Where there are no timers, a call that finds a POST due takes it along. */
  let rides: unknown = waitUntil || WebSocketPair;
  /** In `performance.now()`, when to make the next attempt; Infinity while nothing waits. */
  let dueMs = Infinity;
  /** Of the invocations that made the latest attempts. */
  let marks: Mark[] = [];
  /** When these may make another: an interval after the last. */
  let restMs = 0;
  let inFlight: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout>;

  /** Has the next attempt made after this time. */
  const plan = (delayMs: number): void => {
    dueMs = now() + delayMs;
    state.horizonMs = 0;
    clearTimeout(timer);
    if (rides || delayMs > MAX_TIMER_MS) return;
    timer = setTimeout(() => {
      // Whatever the clock says, which may have been set.
      dueMs = -Infinity;
      void attempt();
    }, delayMs);
    // The process may end before.
    (timer as { unref?(): void }).unref?.();
  };

  /**
   * Never rejects. One at a time, unless the last has died with the invocation that it was part of; and not before a
   * backoff has ended.
   */
  const attempt = (): Promise<void> | undefined => {
    if (!(now() < dueMs && (inFlight || state.batch))) {
      plan(timeoutMs * 2);
      restMs = now() + intervalMs;
      if (WebSocketPair) marks = [new WebSocketPair()[0], ...marks.slice(0, MAX_MARKS)];
      inFlight = state
        .exchange()
        .catch(() => timeoutMs)
        .then((delayMs = 0) => {
          inFlight = undefined;
          plan(state.sums.size ? delayMs : state.open.size ? intervalMs : Infinity);
        });
    }
    return inFlight;
  };

  const flush = async ({ timeoutMs = CLOSE_MS }: FlushOptions = {}): Promise<boolean> => {
    const endMs = now() + timeoutMs;
    let last: SealedSum | undefined;
    // It may be the first to have a clock.
    state.look(now());
    while (true) {
      // What is on its way was cut before; all that this flush owes is cut after it, and goes in its order.
      if (!last && !state.batch) {
        state.seal();
        last = [...state.sums].pop() ?? ({} as SealedSum);
      }
      if (last && !state.sums.has(last)) return true;
      if (now() >= endMs) return false;
      void attempt();
      // Not the attempt's promise: on Workers it may be another invocation's, which has died.
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };

  /** A last flush does not wait for a backoff to end. Where it fails, nor does a process wait for another. */
  const flushNow = async (options?: FlushOptions): Promise<boolean> => {
    if (!inFlight) dueMs = -Infinity;
    if (await flush(options)) return true;
    process?.off?.("beforeExit", flushNow);
    return false;
  };

  if (!rides) {
    process?.on?.("beforeExit", flushNow);
    page()?.addEventListener?.("visibilitychange", () => {
      state.hidden = !rides && page()!.hidden;
      if (state.hidden) void flushNow();
      state.hidden = false;
    });
  } else if (!waitUntil) {
    // In a variable, so that bundlers for other places do not look for it.
    const name = "cloudflare:workers";
    import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(
      (workers: Pick<CollectorOptions, "waitUntil">) => (waitUntil = workers.waitUntil),
      () => {},
    );
  }

  /** Whether one of the latest attempts was this invocation's. */
  const isKnown = (): boolean =>
    marks.some((mark): unknown => {
      try {
        return mark.readyState;
      } catch {
        return false;
      }
    });

  state.look = (nowMs) => {
    try {
      const wallMs = Date.now();
      const start = wallMs - (wallMs % MINUTE_MS);
      // What came in before there was a clock belongs to the first minute there is.
      if (state.minute && state.minute !== start) state.seal();
      state.minute = start;
      if (start) {
        const delayMs = state.open.size + state.sums.size < maxItems ? intervalMs : 0;
        // While a batch is on its way, the end of that decides.
        if (!state.batch && nowMs + delayMs < dueMs) plan(delayMs);
        // An invocation gets one POST. What outlives the interval gets another, and so does a Durable Object, all of
        // whose events are one invocation here.
        if (waitUntil && nowMs >= dueMs && !(nowMs < restMs && isKnown())) waitUntil(attempt()!);
        state.horizonMs = Math.min(nowMs + start + MINUTE_MS - wallMs, dueMs);
      }
    } catch {
      // Whatever it is, it is not the trouble of the function that is being called.
    }
  };

  const close = (options?: FlushOptions): Promise<boolean> => {
    // What has no timer, and nothing to ride on, sends nothing by itself.
    rides = true;
    waitUntil = undefined;
    clearTimeout(timer);
    process?.off?.("beforeExit", flushNow);
    return flushNow(options);
  };

  return { flush, close };
}
