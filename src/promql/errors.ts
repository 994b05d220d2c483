/** The error of this engine, with a kind that an HTTP door can map to a status. */
import { type Span, locate } from "./position.ts";

/**
 * Why a query failed, in the words of the Prometheus HTTP API.
 *
 * - `bad_data`: the query or a parameter is wrong. The same request fails again.
 * - `execution`: the query is valid, but its evaluation failed, for example by duplicate series or a limit.
 * - `timeout`: the query needed more work or time than allowed.
 * - `canceled`: the caller aborted the query.
 */
export type ErrorKind = "bad_data" | "execution" | "timeout" | "canceled";

export class PromqlError extends Error {
  readonly kind: ErrorKind;
  /** Where in the query the error is, as offsets in UTF-16 code units. Only parse errors have it. */
  readonly span: Span | undefined;

  constructor(kind: ErrorKind, message: string, span?: Span) {
    super(message);
    this.name = "PromqlError";
    this.kind = kind;
    this.span = span;
  }
}

/** The query is not valid PromQL. `reason` is the message without its position. */
export class ParseError extends PromqlError {
  readonly reason: string;
  /** True if the query is valid, but uses syntax or a function that Prometheus calls experimental. */
  readonly experimental: boolean;

  constructor(text: string, span: Span, reason: string, experimental = false) {
    super("bad_data", `${locate(text, span.start)}: parse error: ${reason}`, span);
    this.name = "ParseError";
    this.reason = reason;
    this.experimental = experimental;
  }
}

export const executionError = (message: string): PromqlError => new PromqlError("execution", message);
