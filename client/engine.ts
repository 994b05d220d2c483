/** Puts the parts of one collector together. */
import { now } from "./clock.ts";
import type { CollectorOptions, FlushOptions, RecordedCall, Stats } from "./options.ts";
import { createOutbox } from "./outbox.ts";
import { createRegistry } from "./registry.ts";
import type { Reporter } from "./reporter.ts";
import { chooseRuntime } from "./runtime/any.ts";
import { createSchedule } from "./schedule.ts";
import { createSender } from "./sender.ts";
import type { Settings } from "./settings.ts";
import { Timeline } from "./timeline.ts";
import { createTransport } from "./transport.ts";
import { createWrap, type Wrap } from "./wrap.ts";

export interface Engine {
  wrap: Wrap;
  record(call: RecordedCall): void;
  flush(options?: FlushOptions): Promise<boolean>;
  close: (options?: FlushOptions) => Promise<boolean>;
  stats(): Stats;
}

/** A collector that is off: every function stays as it is. */
export const OFF: Engine = {
  wrap: (fn) => fn,
  record() {},
  flush: async () => true,
  close: async () => true,
  stats: () => ({
    seen: 0,
    acknowledged: 0,
    pending: 0,
    dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
  }),
};

export function createEngine(options: CollectorOptions, settings: Settings, reporter: Reporter): Engine {
  // Not all options: the token may be a getter that throws.
  const { module, isError, ignoreAborts, stream } = options;
  const runtime = chooseRuntime(options);
  const { isPage } = runtime;
  const timeline = new Timeline(runtime.isClockFrozen);
  const outbox = createOutbox(settings, isPage, reporter);
  const find = createRegistry(settings.maxFunctions, timeline, outbox.add, reporter);
  const transport = createTransport(settings, options.fetcher ?? globalThis, timeline, isPage);
  const store = options.spool?.attach({ outbox, timeline, reporter }) ?? (() => {});
  const sender = createSender(settings, timeline, outbox, transport, reporter, runtime.advice, store);
  const schedule = createSchedule(settings, timeline, outbox, sender, runtime, options.waitUntil, store);
  return {
    wrap: createWrap({ module, isError, ignoreAborts, stream }, timeline, find, reporter),
    ...schedule,
    stats: () => outbox.stats(timeline.seen),

    /** Never throws. Without a usable duration, the call counts as unmeasured. */
    record(call) {
      try {
        const { durationMs, error } = call;
        const sum = find(call.function, call.module ?? module);
        sum.add(typeof durationMs === "number" ? durationMs : NaN, now());
        if (error !== undefined) sum.addFailure(error);
      } catch {
        // There is no call, or it cannot be read.
      }
    },
  };
}
