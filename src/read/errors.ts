/** Errors of reads. They are the same for every API, which maps their `kind` to its own form of answer. */
import { ReportedError } from "../errors.ts";
import type { SeriesSelector } from "../stats/series-id.ts";

/** The buffer changed during every attempt of a read. */
export class BusyError extends ReportedError {
  override name = "BusyError";
  readonly kind = "unavailable";
  readonly code = "busy";
  override readonly retryAfterSeconds = 1;

  constructor() {
    super("The buffer changed during every attempt to read it. Try again in a second.");
  }
}

/** Neither D1 nor the buffer has the service or the function. */
export class UnknownSeriesError extends ReportedError {
  override name = "UnknownSeriesError";
  readonly kind = "unknown";
  readonly code = "unknown_function";

  constructor({ service, function: name, module }: SeriesSelector) {
    const where = module === undefined ? "" : ` in the module ${JSON.stringify(module)}`;
    super(
      name === undefined
        ? `There is no service ${JSON.stringify(service)}.`
        : `The service ${JSON.stringify(service)} has no function ${JSON.stringify(name)}${where}.`,
    );
  }
}
