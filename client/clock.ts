/**
 * The clock and the timers of the collector. They are taken when this module loads, so that fake timers which a test
 * installs later neither stop the collector nor run it.
 */
const { setTimeout: startTimer, clearTimeout: stopTimer, Date } = globalThis;
const clock = (globalThis as { performance?: { now(): number } }).performance ?? Date;

const readMonotonic = clock.now.bind(clock);
const readWall = Date.now.bind(Date);

export type Timer = ReturnType<typeof setTimeout>;

/** Milliseconds of the monotonic clock. Falls back to the wall clock where a sandbox forbids the other. Never throws. */
export function now(): number {
  try {
    return readMonotonic();
  } catch {
    return wallNow();
  }
}

/** Epoch milliseconds; 0 if there is no time, as in the global scope of a Worker. Never throws. */
export function wallNow(): number {
  try {
    return readWall() || 0;
  } catch {
    return 0;
  }
}

/** The timer keeps no process alive. */
export function startIdleTimer(work: () => void, delayMs: number): Timer {
  const timer = startTimer(work, delayMs);
  (timer as { unref?(): void }).unref?.();
  return timer;
}

export function cancelTimer(timer: Timer | undefined): void {
  if (timer !== undefined) stopTimer(timer);
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => startTimer(resolve, delayMs));
}
