/** Errors of reading. They know no protocol; each door maps their kind to its own. */
import { ReportedError } from "../errors.ts";
import type { FunctionName } from "./matchers.ts";

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

/** Neither D1 nor the buffer knows a function of this name. */
export class UnknownFunctionError extends ReportedError {
  override name = "UnknownFunctionError";
  readonly kind = "unknown";
  readonly code = "unknown_function";

  constructor({ service, function: name, module }: FunctionName) {
    const where = module === undefined ? "" : ` in the module ${JSON.stringify(module)}`;
    super(`The service ${JSON.stringify(service)} has no function ${JSON.stringify(name)}${where}.`);
  }
}
