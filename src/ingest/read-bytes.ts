/** Reads a stream of bytes to its end, in bounded memory. */
import { ErrorResponse } from "../http/error-response.ts";
import { bodyMemory } from "./body-memory.ts";

/** Bytes per read if the size is not known. */
const PIECE_BYTES = 64 * 1024;

/**
 * Reads a stream to its end, but not past `maxBytes`, so that a small compressed body cannot fill the memory.
 *
 * `expectedBytes` is a hint for the first read and may be wrong or `NaN`. If it is right, one read suffices. Every further
 * read costs a turn of the event loop. Reading chunk by chunk took more time than the rest of ingest.
 *
 * Returns undefined if there are more than `maxBytes`. The rest of the stream is then cancelled.
 *
 * @throws {ErrorResponse} 400 if the stream breaks off
 */
export async function readBytes(
  stream: ReadableStream<Uint8Array>,
  expectedBytes: number,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const reader = stream.getReader({ mode: "byob" });
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let room = Math.min(expectedBytes >= 1 ? Math.floor(expectedBytes) : PIECE_BYTES, maxBytes) + 1;
  while (true) {
    const { value } = await reader.readAtLeast(room, bodyMemory(room)).catch(() => {
      throw new ErrorResponse(400, "unreadable_body", "The body broke off. Send the same request again.");
    });
    const piece = value ?? new Uint8Array(0);
    pieces.push(piece);
    length += piece.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      return undefined;
    }
    // A piece is shorter than the room for it only at the end of the stream.
    if (piece.byteLength < room) break;
    room = PIECE_BYTES;
  }
  return pieces.length === 1 ? pieces[0]! : new Uint8Array(await new Blob(pieces).arrayBuffer());
}
