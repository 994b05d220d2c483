/** Reads a POST's body as text, decompressing it, in bounded memory whatever the sender claims or hides. */
import { ErrorResponse } from "../error.ts";
import { limits } from "../limits.ts";

const JSON_TYPES = ["application/json", "text/plain"];

/** @throws {ErrorResponse} 413 above the limit, 415 for a type or an encoding that is not read, 400 for broken text. */
export async function readBody(request: Request): Promise<string> {
  const type = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!JSON_TYPES.includes(type)) {
    const sent = type ? `not "${type}"` : "and none was given";
    throw new ErrorResponse(
      415,
      "unsupported_content_type",
      `Content-Type must be ${JSON_TYPES.join(" or ")}, ${sent}.`,
    );
  }
  const encoding = request.headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new ErrorResponse(
      415,
      "unsupported_encoding",
      `Content-Encoding must be gzip or left out, not "${encoding}".`,
    );
  }
  if (!request.body) return "";
  const bytes = await readBytes(encoding === "gzip" ? unzipped(request.body) : request.body, encoding);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new ErrorResponse(400, "invalid_text", "The body must be UTF-8.");
  }
}

function unzipped(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  // What goes wrong shows in what is read, too; here it would only be an unhandled rejection.
  body.pipeTo(writable).catch(() => {});
  return readable;
}

/** Stops at the first byte above the limit: what a small body may expand to is never held. */
async function readBytes(stream: ReadableStream<Uint8Array>, encoding: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  while (true) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      throw new ErrorResponse(400, "unreadable_body", `The body cannot be read as ${encoding}: ${problem}`);
    });
    if (done) break;
    length += value.byteLength;
    if (length > limits.bodyBytes) {
      await reader.cancel().catch(() => {});
      throw new ErrorResponse(
        413,
        "body_too_large",
        `The body is above ${limits.bodyBytes} bytes (after decompression): split the samples over several batches.`,
      );
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
