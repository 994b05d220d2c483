/** Starts the next POST by a timer, where timers outlive the call that started them. */
import { cancelTimer, startIdleTimer, type Timer } from "../clock.ts";
import { MAX_TIMER_MS } from "../limits.ts";
import type { Alarm } from "./runtime.ts";

export function createTimer(): Alarm {
  let timer: Timer | undefined;
  return {
    set(delayMs, fire) {
      cancelTimer(timer);
      timer = startIdleTimer(() => void fire(), Math.min(delayMs, MAX_TIMER_MS));
      return undefined;
    },
    cancel: () => cancelTimer(timer),
  };
}
