/** The collector in Workers, and wherever `waitUntil` is given: an invocation stays alive until its sums are sent. */
import { now, sleep } from "../clock.ts";
import { WORKER_CHECK_MS } from "../limits.ts";
import { platform } from "../platform.ts";
import { SERVER_ADVICE } from "./advice.ts";
import { runDetached } from "./detached.ts";
import type { Runtime } from "./runtime.ts";

export const worker: Runtime = {
  isPage: false,
  isWorker: true,
  get isClockFrozen() {
    return !!platform.WebSocketPair;
  },
  advice: SERVER_ADVICE,
  runDetached,

  createAlarm(waitUntil) {
    if (!waitUntil) {
      // Not as one text, so that bundlers for other platforms do not look for the module.
      const name = ["cloudflare", "workers"].join(":");
      import(/* @vite-ignore */ /* webpackIgnore: true */ name).then(
        (workers: { waitUntil: typeof waitUntil }) => (waitUntil = workers.waitUntil),
        // An old runtime. An invocation then sends only while it is alive by itself.
        () => {},
      );
    }
    return {
      /** Ends early if a flush has sent everything. */
      async set(delayMs, fire, hasWork) {
        const timeMs = now() + delayMs;
        do {
          // Node warns of a negative time.
          await sleep(Math.max(0, Math.min(timeMs - now(), WORKER_CHECK_MS)));
        } while (now() < timeMs && hasWork());
        await fire();
      },
      cancel() {},
      keepAlive: (work) => waitUntil?.(work),
    };
  },
};
