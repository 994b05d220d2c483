/** When to send: on a timer, or where there is none, along with the calls; one batch at a time. */
import { now, page } from "./runtime.ts";
import { BREATHER_MS, CLOSE_MS, POLL_MS } from "./limits.ts";
import type { CollectorOptions, FlushOptions } from "./options.ts";
import type { SealedSum } from "./recorder.ts";
import type { State } from "./state.ts";

interface NodeProcess {
  once(event: string, listener: () => unknown): void;
  off?(event: string, listener: () => unknown): void;
}

export function createSchedule(
  { waitUntil, intervalMs = 30_000, maxItems = 1_000, timeoutMs = 10_000 }: CollectorOptions,
  state: State,
) {
  const { process } = globalThis as { process?: NodeProcess };
  /** Where there are no timers, a call that finds a POST due takes it along. */
  let rides: unknown = waitUntil || "WebSocketPair" in globalThis;
  /** In `performance.now()`, when to make the next attempt; Infinity while nothing waits. */
  let dueMs = Infinity;
  /** Sums that hold a call and are not sealed; those sealed by the clock may still count. */
  let openSums = 0;
  let inFlight: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout>;

  /** Has the next attempt made after this time. */
  const plan = (delayMs: number): void => {
    dueMs = now() + delayMs;
    state.horizonMs = 0;
    clearTimeout(timer);
    if (rides || delayMs === Infinity) return;
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
    if (!(inFlight || state.batch) || !(now() < dueMs)) {
      plan(timeoutMs * 2);
      if (!state.batch) openSums = 0;
      inFlight = state
        .exchange()
        .catch(() => timeoutMs)
        .then((delayMs = 0) => {
          inFlight = undefined;
          plan(
            Math.max(state.sums.size ? delayMs : openSums ? intervalMs : Infinity, rides ? BREATHER_MS : 0),
          );
        });
    }
    return inFlight;
  };

  const flush = async ({ timeoutMs = Infinity }: FlushOptions = {}): Promise<boolean> => {
    const endMs = now() + timeoutMs;
    let last: SealedSum | undefined;
    state.horizonMs = 0;
    while (true) {
      // What is on its way was cut before; all that this flush owes is cut after it, and goes in its order.
      if (!last && !state.batch) {
        state.seal();
        last = [...state.sums].pop();
        if (!last) return true;
      }
      if (last && !state.sums.has(last)) return true;
      if (now() >= endMs) return false;
      void attempt();
      // Not the attempt's promise: on Workers it may be another invocation's, which has died.
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };

  /** A last flush does not wait for a backoff to end. */
  const flushNow = (options?: FlushOptions): Promise<boolean> => {
    if (!inFlight) dueMs = 0;
    return flush({ timeoutMs: CLOSE_MS, ...options });
  };

  if (!rides) {
    process?.once("beforeExit", flushNow);
    page()?.addEventListener("visibilitychange", () => {
      if (!page()!.hidden) return;
      if ("keepalive" in Request.prototype) return void flushNow();
      state.beacon();
      // If the page lives on.
      plan(timeoutMs);
    });
  } else if (!waitUntil) {
    // In a variable, so that bundlers for other places do not look for it.
    const name = "cloudflare:workers";
    import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(
      (workers: Pick<CollectorOptions, "waitUntil">) => (waitUntil = workers.waitUntil),
      () => {},
    );
  }

  state.wake = (nowMs) => {
    const delayMs = openSums++ + state.sums.size < maxItems ? intervalMs : 0;
    // While a batch is on its way, the end of that decides.
    if (!state.batch && nowMs + delayMs < dueMs) plan(delayMs);
    if (waitUntil && nowMs >= dueMs) waitUntil(attempt()!);
    return rides ? dueMs : Infinity;
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
