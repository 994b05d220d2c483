/** The one shape that every error answer has: `{ "error": { "code", "message" } }`. */
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An answer other than success. The code is for programs, the message a sentence for people. */
export class ErrorResponse extends HTTPException {
  readonly code: string;

  /** The cause is for the log only. */
  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    headers: Record<string, string> = {},
    cause?: unknown,
  ) {
    super(status, { message, cause, res: Response.json({ error: { code, message } }, { status, headers }) });
    this.code = code;
  }
}

/** A parameter that cannot be what it is. `allowed` goes on from "it must be". */
export function invalidParameter(parameter: string, value: unknown, allowed: string): ErrorResponse {
  const given = JSON.stringify(value) ?? "missing";
  const shown = given.length > 100 ? `${given.slice(0, 100)}…` : given;
  return new ErrorResponse(
    400,
    "invalid_parameter",
    `The parameter ${parameter} is ${shown}: it must be ${allowed}.`,
  );
}

/** Too much for now: the sender should come again with the same batch, under the same key. */
export function unavailable(
  code: string,
  message: string,
  retryAfterSeconds: number,
  cause?: unknown,
): ErrorResponse {
  return new ErrorResponse(503, code, message, { "Retry-After": String(retryAfterSeconds) }, cause);
}
