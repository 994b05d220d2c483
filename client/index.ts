/** Wraps functions, sums their calls, and sends the sums to a MetricsCollector Worker. */
import { createCollector } from "./collector.ts";
import { createFront } from "./front.ts";
import type { CollectorOptions, MetricsCollector } from "./options.ts";

export type {
  CallOptions,
  CollectorOptions,
  DropReason,
  Dropped,
  FetchedAnswer,
  FlushOptions,
  FunctionOptions,
  MetricsCollector,
  RecordedCall,
  Spool,
  Stats,
  Wrapper,
} from "./options.ts";

/**
 * Makes a collector. It does nothing until a function that it wrapped is called, so it can be made anywhere. A wrong option
 * turns the collector off with a warning, and never breaks the program.
 *
 * @throws {TypeError} if an option is wrong and `strict` is true
 */
export function createMetricsCollector(options: CollectorOptions): MetricsCollector {
  return createCollector(options, createFront);
}
