/** The collector in Node, Deno and Bun: a process that has nothing left to do sends what is left. */
import { now } from "../clock.ts";
import { IDLE_CHECK_MS } from "../limits.ts";
import { SERVER_ADVICE } from "./advice.ts";
import { runDetached } from "./detached.ts";
import { watchExit, watchIdle } from "./exit.ts";
import type { Runtime } from "./runtime.ts";
import { createTimer } from "./timer.ts";

export const process: Runtime = {
  isPage: false,
  isWorker: false,
  isClockFrozen: false,
  advice: SERVER_ADVICE,
  runDetached,
  createAlarm: createTimer,

  watch({ settings, sender, flush }) {
    const { exitTimeoutMs } = settings;
    /** The process has waited long enough for the collector at its end. */
    let hasWaited = false;
    /** When an attempt was aborted because only it kept the process alive. */
    let idleMs = -Infinity;
    const leave = async (): Promise<void> => {
      // It has just waited. Longer ago, the guess was wrong: the program had something to do.
      if (hasWaited || now() - idleMs < IDLE_CHECK_MS) return;
      sender.skipBackoff();
      if (await flush({ timeoutMs: exitTimeoutMs })) return;
      // The process does not wait for another flush.
      hasWaited = true;
      sender.abort();
    };
    return {
      stop: watchExit(() => void leave()),
      onAttempt: () =>
        watchIdle(exitTimeoutMs, () => {
          idleMs = now();
          sender.abort();
        }),
    };
  },
};
