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
/** What gzip can add to bytes that it cannot compress. */
const OVERHEAD_BYTES = 4096;
/** The last four bytes of a member hold the size of its content. */
const SIZE_BYTES = 4;

/**
 * Decompresses a stream. `expectedBytes` is the likely size of the compressed bytes, and may be wrong or `NaN`. Returns
 * undefined if the content has more than `maxBytes`. The rest of the stream is then cancelled.
 *
 * @throws {ErrorResponse} 400 if the stream is not complete gzip
 */
export async function readGzip(
  stream: ReadableStream<Uint8Array>,
  expectedBytes: number,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // The usual body has one member and is decompressed as it arrives. Any other is read once more.
  const [now, again] = stream.tee();
  const content = await inflate(now, expectedBytes, maxBytes);
  if (content === "unreadable") {
    const bytes = await readBytes(again, expectedBytes, maxBytes + OVERHEAD_BYTES);
    return bytes && readMembers(bytes, maxBytes);
  }
  await again.cancel();
  return content === "too large" ? undefined : content;
}

async function readMembers(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const contents: Uint8Array<ArrayBuffer>[] = [];
  let attempts = 0;
  let length = 0;
  let start = 0;
  do {
    let content: Inflated = "unreadable";
    for (const end of possibleEnds(bytes, start, maxBytes)) {
      if (++attempts > MAX_ATTEMPTS) break;
      const member = bytes.slice(start, end);
      content = await inflate(new Blob([member]).stream(), member.byteLength, maxBytes);
      if (content === "unreadable") continue;
      start = end;
      break;
    }
    if (content === "unreadable") throw unreadable();
    if (content === "too large") return undefined;
    contents.push(content);
    length += content.byteLength;
    if (length > maxBytes) return undefined;
  } while (start < bytes.byteLength);
  return new Uint8Array(await new Blob(contents).arrayBuffer());
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

/** Decompresses one member. "unreadable" if the stream is not one complete member. */
async function inflate(
  compressed: ReadableStream<Uint8Array>,
  expectedBytes: number,
  maxBytes: number,
): Promise<Inflated> {
  const { readable, writable } = new DecompressionStream("gzip");
  // A failure also rejects the read below. Without this handler it would be an unhandled rejection as well.
  compressed.pipeTo(writable).catch(() => {});
  try {
    return (await readBytes(readable, expectedBytes * USUAL_COMPRESSION, maxBytes)) ?? "too large";
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
