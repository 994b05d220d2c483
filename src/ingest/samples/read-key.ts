/** Reads a batch's idempotency key. */
import { ErrorResponse } from "../../http/error-response.ts";
import { ingestLimits } from "../limits.ts";

/**
 * Control characters, unpaired surrogates, and the replacement character, which decoders put in place of bytes that are not
 * UTF-8. With these characters, different keys could look alike.
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\uFFFD]/u;

/**
 * Returns the header `Idempotency-Key`, else the key in the body, else null.
 *
 * @throws {ErrorResponse} 400 if the key is empty, too long, or has forbidden characters
 */
export function readKey(headers: Headers, inBody: string | undefined): string | null {
  const key = headers.get("Idempotency-Key") ?? inBody ?? null;
  if (key === null) return null;
  const max = ingestLimits.idempotencyKeyLength;
  if (key.length < 1 || key.length > max || FORBIDDEN.test(key)) {
    throw new ErrorResponse(
      400,
      "invalid_key",
      `Idempotency-Key must be a string of 1 to ${max} characters in UTF-8, none of them a control character; ` +
        `it has ${key.length} characters.`,
    );
  }
  return key;
}
