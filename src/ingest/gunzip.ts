/**
 * Decompresses gzip. A body may consist of several members, one behind the other.
 *
 * https://www.rfc-editor.org/rfc/rfc1952
 */
import { ErrorResponse } from "../http/error-response.ts";
import { readBytes } from "./read-bytes.ts";

/** Bounds the work for a hostile body. A member takes two attempts if other members follow it. */
const MAX_ATTEMPTS = 64;
/** Usual size of a batch, divided by its size after gzip. */
const USUAL_COMPRESSION = 10;
/** The last four bytes of a member hold the size of its content. */
const SIZE_BYTES = 4;

/**
 * Returns the content, or undefined if it has more than `maxBytes`.
 *
 * @throws {ErrorResponse} 400 if the bytes are not complete gzip
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const contents: Uint8Array<ArrayBuffer>[] = [];
  let attempts = 0;
  let length = 0;
  let start = 0;
  do {
    let member: Inflated = "unreadable";
    for (const end of possibleEnds(bytes, start, maxBytes)) {
      if (++attempts > MAX_ATTEMPTS) break;
      member = await inflate(bytes.subarray(start, end), maxBytes);
      if (member === "unreadable") continue;
      start = end;
      break;
    }
    if (member === "unreadable") throw unreadable();
    if (member === "too large") return undefined;
    contents.push(member);
    length += member.byteLength;
    if (length > maxBytes) return undefined;
  } while (start < bytes.byteLength);
  return contents.length === 1 ? contents[0]! : new Uint8Array(await new Blob(contents).arrayBuffer());
}

/**
 * Positions at which the member that begins at `start` may end: the end of all bytes, which is the usual case, and each
 * position before bytes that look like the beginning of another member. Decompression checks a member's size and checksum, so a wrong end fails.
 */
function* possibleEnds(bytes: Uint8Array, start: number, maxBytes: number): Generator<number> {
  yield bytes.byteLength;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(0x1f, start + 1); at >= 0; at = bytes.indexOf(0x1f, at + 1)) {
    const isHeader = bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
    if (isHeader && at - start > SIZE_BYTES && view.getUint32(at - SIZE_BYTES, true) <= maxBytes) yield at;
  }
}

type Inflated = Uint8Array<ArrayBuffer> | "too large" | "unreadable";

/** Decompresses one member. "unreadable" if the bytes are not one complete member. */
async function inflate(bytes: Uint8Array<ArrayBuffer>, maxBytes: number): Promise<Inflated> {
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  // A failure also rejects the read below. Without these handlers it would be an unhandled rejection as well.
  writer.write(bytes).catch(() => {});
  writer.close().catch(() => {});
  try {
    return (await readBytes(readable, bytes.byteLength * USUAL_COMPRESSION, maxBytes)) ?? "too large";
  } catch {
    return "unreadable";
  }
}

function unreadable(): ErrorResponse {
  return new ErrorResponse(
    400,
    "unreadable_body",
    "The body cannot be decompressed as gzip: it is cut off, damaged, or not gzip. Nothing was recorded. Send all of it, " +
      "or leave out Content-Encoding if it is not compressed.",
  );
}
