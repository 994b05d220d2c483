/** Reads a POST's body, decompressing it, in bounded memory whatever the sender claims or hides. */
import { ErrorResponse } from "../http/error-response.ts";
import { limits } from "../limits.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const JSON_TYPES = ["application/json", "text/plain"];
/** How many times its compressed size a batch usually has. */
const USUAL_COMPRESSION = 10;
/** Read at once of a body whose size is not known. */
const PIECE_BYTES = 64 * 1024;

/** Buffers to read large bodies into again: to make one anew for each took a tenth of what reading it takes. */
const spare: ArrayBuffer[] = [];
const SPARE_BYTES = 128 * 1024;
/** A small body gets no more than it needs: many may arrive at once, slowly. */
const SMALL_BYTES = 16 * 1024;
const SPARES_KEPT = 16;

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

export interface Body {
  text: string;
  /**
   * Names what the body says, whatever carries it, in hexadecimal digits: SHA-256 from its first bracket to its last, and
   * so of its samples, byte for byte. Around them is the envelope, where a beacon has its key, and a token that may be
   * rotated; its service is part of the key.
   */
  digest: string;
}

/** @throws {ErrorResponse} 413 above the limit, 415 for a type or an encoding that is not read, 400 for broken text. */
export async function readBody(request: Request): Promise<Body> {
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
  const bytes = request.body
    ? await readBytes(
        encoding === "gzip" ? unzipped(request.body) : request.body,
        encoding,
        Number(request.headers.get("Content-Length")) * (encoding === "gzip" ? USUAL_COMPRESSION : 1),
      )
    : new Uint8Array(0);
  const text = decode(bytes);
  const digest = await digestOf(bytes);
  if (bytes.buffer.byteLength === SPARE_BYTES && spare.length < SPARES_KEPT) spare.push(bytes.buffer);
  return { text, digest };
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ErrorResponse(400, "invalid_text", "The body must be UTF-8.");
  }
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const said = bytes.subarray(bytes.indexOf(OPENING_BRACKET), bytes.lastIndexOf(CLOSING_BRACKET) + 1);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", said)).toHex();
}

function unzipped(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new DecompressionStream("gzip");
  // What goes wrong shows in what is read, too; here it would only be an unhandled rejection.
  body.pipeTo(writable).catch(() => {});
  return readable;
}

/**
 * Stops at the first byte above the limit: what a small body may expand to is never held. The size expected is a hint,
 * and whatever it is, the body is read: in one piece where it is right, since every piece costs a turn of the event
 * loop, and chunk by chunk that was more than all else that ingest does.
 */
async function readBytes(
  stream: ReadableStream<Uint8Array>,
  encoding: string,
  expectedBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader({ mode: "byob" });
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let room = Math.min(expectedBytes >= 1 ? Math.floor(expectedBytes) : PIECE_BYTES, limits.bodyBytes) + 1;
  while (true) {
    // It comes short only at the end.
    const { value } = await reader.readAtLeast(room, emptyBytes(room)).catch((error: unknown) => {
      const problem = error instanceof Error ? error.message : String(error);
      throw new ErrorResponse(400, "unreadable_body", `The body cannot be read as ${encoding}: ${problem}`);
    });
    const piece = value ?? new Uint8Array(0);
    pieces.push(piece);
    length += piece.byteLength;
    if (length > limits.bodyBytes) {
      await reader.cancel().catch(() => {});
      throw new ErrorResponse(
        413,
        "body_too_large",
        `The body is above ${limits.bodyBytes} bytes (after decompression): split the samples over several batches.`,
      );
    }
    if (piece.byteLength < room) break;
    room = PIECE_BYTES;
  }
  return pieces.length === 1 ? pieces[0]! : new Uint8Array(await new Blob(pieces).arrayBuffer());
}

function emptyBytes(length: number): Uint8Array<ArrayBuffer> {
  if (length <= SMALL_BYTES || length > SPARE_BYTES) return new Uint8Array(length);
  return new Uint8Array(spare.pop() ?? new ArrayBuffer(SPARE_BYTES), 0, length);
}
