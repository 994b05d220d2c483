/** Parses a request body as JSON text. */
import { ErrorResponse } from "../http/error-response.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** @throws {ErrorResponse} 400 if the bytes are not UTF-8, or not JSON */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeText(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ErrorResponse(400, "invalid_json", `The body is not JSON: ${(error as Error).message}`);
  }
}

/** @throws {ErrorResponse} 400 if the bytes are not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ErrorResponse(400, "invalid_text", "The body is not UTF-8. Send JSON text encoded as UTF-8.");
  }
}
