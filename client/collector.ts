/** Makes collectors: an engine, behind the function that users call. */
import { createEngine, type Engine, OFF } from "./engine.ts";
import type { CollectorOptions } from "./options.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { isDisabled, readSettings } from "./settings.ts";

/** A wrong option turns the collector off with a warning, unless `strict` is true. */
export function createCollector<Front>(
  options: CollectorOptions,
  createFront: (engine: Engine, reporter: Reporter) => Front,
): Front {
  const reporter = createReporter(options ?? {});
  let engine = OFF;
  try {
    if (!isDisabled(options)) engine = createEngine(options, readSettings(options), reporter);
  } catch (error) {
    if (options?.strict) throw error;
    reporter.reportError("options", `${String(error)} Nothing is measured until this is corrected.`);
  }
  return createFront(engine, reporter);
}
