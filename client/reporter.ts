/** Reports trouble to the program: through its hooks, otherwise on the console. */
import { now } from "./clock.ts";
import { WARN_AGAIN_MS } from "./limits.ts";
import type { CollectorOptions, Dropped } from "./options.ts";

/** No function throws: the trouble of a hook, or of the console, must not reach the function that is being called. */
export interface Reporter {
  /** `kind` groups messages: of each kind, only the first is shown. */
  warnOnce: (kind: unknown, message: string) => void;
  reportError: (kind: unknown, message: string) => void;
  reportDrop: (dropped: Dropped) => void;
}

export function createReporter({ onError, onDrop }: Pick<CollectorOptions, "onError" | "onDrop">): Reporter {
  const kinds = new Set<unknown>();
  let lossWarnedMs = -Infinity;

  const print = (message: string): void => void run(() => console.warn(`metrics-collector: ${message}`));
  const warnOnce = (kind: unknown, message: string): void => {
    if (!kinds.has(kind)) print(message);
    kinds.add(kind);
  };

  return {
    warnOnce,

    reportError(kind: unknown, message: string): void {
      if (onError) void run(() => onError(new Error(message)));
      else warnOnce(kind, message);
    },

    reportDrop(dropped: Dropped): void {
      const { calls, reason, message } = dropped;
      if (onDrop) {
        void run(() => onDrop(dropped));
      } else if (!(now() - lossWarnedMs < WARN_AGAIN_MS)) {
        lossWarnedMs = now();
        print(`${calls} calls are lost (${reason}): ${message} onDrop tells every loss.`);
      }
    },
  };
}

async function run(work: () => unknown): Promise<void> {
  try {
    await work();
  } catch {
    // Nobody is left to tell.
  }
}
