/** Makes error answers. All have the shape `{ "error": { "code", "message" } }`. */
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { BindingFault, type ErrorKind, ReportedError } from "../errors.ts";

/** An error answer. The code is for programs, the message is a sentence for people. */
export class ErrorResponse extends HTTPException {
  readonly code: string;

  /** `cause` is logged and never sent. */
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

/** 503. The sender should send the same request again after some seconds. */
export function unavailable(
  code: string,
  message: string,
  retryAfterSeconds: number,
  cause?: unknown,
): ErrorResponse {
  return new ErrorResponse(503, code, message, { "Retry-After": String(retryAfterSeconds) }, cause);
}

const STATUS = {
  invalid: 400,
  unknown: 404,
  conflict: 409,
  unavailable: 503,
  misconfigured: 500,
} as const satisfies Record<ErrorKind, ContentfulStatusCode>;

/** The answer to a failed request. It reveals nothing internal. For faults it says where the log has the cause. */
export function toErrorResponse(error: Error, requestId: string): ErrorResponse {
  if (error instanceof ErrorResponse) return error;
  const inLog = `The log has the cause, under request ${requestId}.`;
  if (error instanceof BindingFault) {
    const message = `${error.binding} does not answer now. Try again in a few seconds. ${inLog}`;
    return unavailable(error.code, message, error.retryAfterSeconds);
  }
  if (error instanceof ReportedError) {
    const { kind, code, message, retryAfterSeconds } = error;
    const headers: Record<string, string> =
      retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) };
    return new ErrorResponse(STATUS[kind], code, message, headers);
  }
  return new ErrorResponse(500, "internal_error", `The request failed. ${inLog}`);
}
