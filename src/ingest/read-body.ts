/** Reads the body of a POST and decompresses it, in bounded memory. */
import { ErrorResponse } from "../http/error-response.ts";
import { bodyMemory } from "./body-memory.ts";

export interface BodyFormat {
  /** Accepted content types, in lower case and without parameters. */
  contentTypes: readonly string[];
  /** The largest body that is read, in bytes after decompression. */
  maxBytes: number;
}

/** Usual size of a batch, divided by its size after gzip. */
const USUAL_COMPRESSION = 10;
/** Bytes per read if the size is not known. */
const PIECE_BYTES = 64 * 1024;

/**
 * Returns the decompressed bytes. Call `releaseBody` when they are no longer needed.
 *
 * @throws {ErrorResponse} 415 for another content type or encoding, 413 above the limit, 400 if decompression fails
 */
export async function readBody(request: Request, format: BodyFormat): Promise<Uint8Array<ArrayBuffer>> {
  requireContentType(request.headers, format.contentTypes);
  const encoding = contentEncodingOf(request.headers);
  if (request.body === null) return new Uint8Array(0);
  const sentBytes = Number(request.headers.get("Content-Length"));
  return encoding === "gzip"
    ? readBytes(decompress(request.body), encoding, sentBytes * USUAL_COMPRESSION, format.maxBytes)
    : readBytes(request.body, encoding, sentBytes, format.maxBytes);
}

/** The request's content type in lower case and without parameters; empty if it has none. */
export function contentTypeOf(headers: Headers): string {
  return headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}

function requireContentType(headers: Headers, accepted: readonly string[]): void {
  const type = contentTypeOf(headers);
  if (accepted.includes(type)) return;
  const sent = type === "" ? "it is missing" : `it is ${JSON.stringify(type)}`;
  throw new ErrorResponse(
    415,
    "unsupported_content_type",
    `Content-Type must be ${accepted.join(" or ")}; ${sent}.`,
  );
}

function contentEncodingOf(headers: Headers): "identity" | "gzip" {
  const encoding = headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "gzip") return encoding;
  throw new ErrorResponse(
    415,
    "unsupported_encoding",
    `Content-Encoding must be gzip or absent; it is ${JSON.stringify(encoding)}.`,
  );
}

function decompress(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  // A failure also reaches whoever reads `readable`. Here it would only be an unhandled rejection.
  body.pipeTo(writable).catch(() => {});
  return readable;
}

/**
 * Reads a stream to its end, but not past `maxBytes`, so that a small compressed body cannot fill the memory.
 *
 * `expectedBytes` is a hint for the first read and may be wrong or `NaN`. If it is right, one read suffices. Every further
 * read costs a turn of the event loop. Reading chunk by chunk took more time than the rest of ingest.
 */
async function readBytes(
  stream: ReadableStream<Uint8Array>,
  encoding: string,
  expectedBytes: number,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: "byob" });
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let room = Math.min(expectedBytes >= 1 ? Math.floor(expectedBytes) : PIECE_BYTES, maxBytes) + 1;
  while (true) {
    const { value } = await reader.readAtLeast(room, bodyMemory(room)).catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      throw new ErrorResponse(
        400,
        "unreadable_body",
        `Could not read the body as ${encoding}: ${problem} Check that it is complete and that Content-Encoding is right.`,
      );
    });
    const piece = value ?? new Uint8Array(0);
    pieces.push(piece);
    length += piece.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      throw new ErrorResponse(
        413,
        "body_too_large",
        `The body has more than ${maxBytes} bytes after decompression. Split it over several requests.`,
      );
    }
    // A piece is shorter than the room for it only at the end of the stream.
    if (piece.byteLength < room) break;
    room = PIECE_BYTES;
  }
  return pieces.length === 1 ? pieces[0]! : new Uint8Array(await new Blob(pieces).arrayBuffer());
}
