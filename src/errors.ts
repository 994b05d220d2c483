/** Errors whose message is meant for the sender of a request. Each API maps their `kind` to its own form of answer. */

import { describeRefusal, type Refusal } from "./refusal.ts";

/**
 * What the caller can do about it:
 * - `invalid`: change the request.
 * - `unknown`: ask for something that exists.
 * - `conflict`: look at the current state first.
 * - `unavailable`: send the same request again after `retryAfterSeconds`.
 * - `misconfigured`: change a setting of the collector.
 */
export type ErrorKind = "invalid" | "unknown" | "conflict" | "unavailable" | "misconfigured";

export abstract class ReportedError extends Error {
  abstract readonly kind: ErrorKind;
  /** Names the error for programs, in snake_case. */
  abstract readonly code: string;
  /** Set for `unavailable` only. */
  readonly retryAfterSeconds: number | undefined = undefined;
}

/** The value of a parameter is not allowed. */
export class InvalidParameterError extends ReportedError {
  override name = "InvalidParameterError";
  readonly kind = "invalid";
  readonly code = "invalid_parameter";

  /** `allowed` completes the sentence "It must be …". */
  constructor(parameter: string, value: unknown, allowed: string) {
    const given = JSON.stringify(value) ?? "missing";
    const shown = given.length > 100 ? `${given.slice(0, 100)}…` : given;
    super(`The parameter ${parameter} is ${shown}. It must be ${allowed}.`);
  }
}

/** A service that the collector depends on. */
export type Binding = "The buffer" | "The sink" | "D1" | "The object of alerts";

/** A binding failed or did not answer. The same request may succeed later. */
export class BindingFault extends ReportedError {
  override name = "BindingFault";
  readonly kind = "unavailable";
  readonly code = "unavailable";
  override readonly retryAfterSeconds = 5;
  readonly binding: Binding;

  constructor(binding: Binding, cause: unknown) {
    super(`${binding} did not answer: ${String(cause)}`, { cause });
    this.binding = binding;
  }
}

/** A binding refuses until something changes. The message says what. */
export class RefusedError extends ReportedError {
  override name = "RefusedError";
  readonly kind = "unavailable";
  readonly code: string;
  override readonly retryAfterSeconds = 300;
  readonly binding: Binding;

  constructor(binding: Binding, refusal: Refusal, cause: unknown) {
    super(`${binding} cannot be used now. ${describeRefusal(refusal)}`, { cause });
    this.binding = binding;
    this.code = refusal.cause === "schema" ? "schema_outdated" : "daily_limit";
  }
}

/** A setting has an invalid value. The message names the setting and the values that are valid. */
export class ConfigurationError extends ReportedError {
  override name = "ConfigurationError";
  readonly kind = "misconfigured";
  readonly code = "misconfigured";
}
