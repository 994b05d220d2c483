/** Runs the collector's own work outside the caller's async context. */
import { platform } from "../platform.ts";
import { runOutsideZones } from "./zone.ts";

interface AsyncHooks {
  AsyncLocalStorage: { snapshot?(): <T>(work: () => T) => T };
}

const hooks = platform.process?.getBuiltinModule?.("node:async_hooks") as AsyncHooks | undefined;
const runAtLoad = hooks?.AsyncLocalStorage.snapshot?.();

/**
 * A timer and a request inherit the context of the call that starts them. That would keep the data of one request alive
 * for as long as the collector sends, and make each report a span of a stranger's trace.
 */
export function runDetached<T>(work: () => T): T {
  const run = () => runOutsideZones(work);
  return runAtLoad ? runAtLoad(run) : run();
}
