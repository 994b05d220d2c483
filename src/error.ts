/** The one shape that every error answer has: `{ "error": { "code", "message" } }`. */
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** An answer other than success. The code is for programs, the message a sentence for people. */
export class ErrorResponse extends HTTPException {
  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    headers: Record<string, string> = {},
  ) {
    super(status, { message, res: Response.json({ error: { code, message } }, { status, headers }) });
  }
}

/** Too much for now: the sender should come again with the same batch, under the same key. */
export function unavailable(code: string, message: string, retryAfterSeconds: number): ErrorResponse {
  return new ErrorResponse(503, code, message, { "Retry-After": String(retryAfterSeconds) });
}
