/** Reads the body of a POST and decompresses it, in bounded memory. */
import { ErrorResponse } from "../http/error-response.ts";
import { readGzip } from "./read-gzip.ts";
import { readBytes } from "./read-bytes.ts";

export interface BodyFormat {
  /** Accepted content types, in lower case and without parameters. A request that names none counts as the first. */
  contentTypes: readonly string[];
  /** The largest body that is read, in bytes after decompression. */
  maxBytes: number;
  /** The largest compressed body, in bytes as sent. It applies if the sender tells the size. */
  maxCompressedBytes?: number;
  /** A sentence that tells the sender what to do about a larger body. The default asks to split it. */
  whenTooLarge?: string;
}

const SPLIT = "Split it over several requests.";
/** UTF-8 and its subset ASCII, in lower case. */
const CHARSETS = ["utf-8", "utf8", "us-ascii", "ascii"];

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
  const isTooLong = encoding === "gzip" && sentBytes > (format.maxCompressedBytes ?? Infinity);
  if (isTooLong) {
    await request.body.cancel();
    throw tooLarge(`The compressed body has more than ${format.maxCompressedBytes} bytes.`, format);
  }
  const bytes =
    encoding === "identity"
      ? await readBytes(request.body, sentBytes, format.maxBytes)
      : await readGzip(request.body, sentBytes, format.maxBytes);
  if (bytes !== undefined) return bytes;
  throw tooLarge(`The body has more than ${format.maxBytes} bytes after decompression.`, format);
}

function tooLarge(problem: string, { whenTooLarge = SPLIT }: BodyFormat): ErrorResponse {
  return new ErrorResponse(413, "body_too_large", `${problem} ${whenTooLarge}`);
}

/** The request's content type in lower case and without parameters; empty if it has none. */
export function contentTypeOf(headers: Headers): string {
  return headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase() ?? "";
}

function requireContentType(headers: Headers, accepted: readonly string[]): void {
  const type = contentTypeOf(headers);
  if (type !== "" && !accepted.includes(type)) {
    throw new ErrorResponse(
      415,
      "unsupported_content_type",
      `Content-Type must be ${accepted.join(" or ")}; it is ${JSON.stringify(type)}.`,
    );
  }
  const charset = /;\s*charset\s*=\s*"?([^";]*)/i.exec(headers.get("Content-Type") ?? "")?.[1]?.trim();
  if (charset !== undefined && !CHARSETS.includes(charset.toLowerCase())) {
    throw new ErrorResponse(
      415,
      "unsupported_charset",
      `The charset in Content-Type must be utf-8; it is ${JSON.stringify(charset)}.`,
    );
  }
}

function contentEncodingOf(headers: Headers): "identity" | "gzip" {
  const encoding = headers.get("Content-Encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "x-gzip") return "gzip";
  if (encoding === "identity" || encoding === "gzip") return encoding;
  throw new ErrorResponse(
    415,
    "unsupported_encoding",
    `Content-Encoding must be gzip or absent; it is ${JSON.stringify(encoding)}.`,
  );
}
