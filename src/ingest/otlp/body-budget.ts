/** Bounds the memory that the bodies of all requests in progress take together. Beyond it, senders are asked to wait. */
import { unavailable } from "../../http/error-response.ts";
import { otlpLimits } from "./limits.ts";

/** A guess at the size of a body whose sender does not tell it. Most have far less. */
const UNTOLD_BYTES = 1024 * 1024;
/** Usual size of a request, divided by its size after gzip. */
const USUAL_COMPRESSION = 8;

let reserved = 0;

/**
 * Runs `work` with room for the request's body.
 *
 * @throws {ErrorResponse} 503 if other bodies take all the room
 */
export async function withBodyBudget<T>(headers: Headers, work: () => Promise<T>): Promise<T> {
  const bytes = expectedBytes(headers);
  if (reserved > 0 && reserved + bytes > otlpLimits.bodiesInMemoryBytes) {
    throw unavailable(
      "overloaded",
      "Other requests take all the memory. Nothing was recorded. Send the same request again later.",
      1,
    );
  }
  reserved += bytes;
  try {
    return await work();
  } finally {
    reserved -= bytes;
  }
}

function expectedBytes(headers: Headers): number {
  const sent = Number(headers.get("Content-Length") ?? Number.NaN);
  if (!(sent >= 0)) return UNTOLD_BYTES;
  const isCompressed = headers.has("Content-Encoding");
  return Math.min(otlpLimits.bodyBytes, isCompressed ? sent * USUAL_COMPRESSION : sent);
}
