/** Decodes one OTLP request, in JSON or protobuf, into sums by service. */
import { ErrorResponse } from "../../http/error-response.ts";
import type { Decoded, DecodedPart, Decoder } from "../decoder.ts";
import { decodeText } from "../parse-json.ts";
import { isProtobuf, JSON_TYPE, PROTOBUF_TYPE } from "./encoding.ts";
import { otlpLimits } from "./limits.ts";
import type { BatchSource } from "./series-sums.ts";
import { type Fields, Malformed, type Message } from "./wire/message.ts";
import { readJson } from "./wire/read-json.ts";
import { readProtobuf } from "./wire/read-protobuf.ts";

export interface OtlpSignal {
  /** Begins the keys of the request's batches. */
  name: "metrics" | "traces";
  message: Message;
  /** Adds a span or a data point. */
  take: (item: Fields) => void;
  /** What they became, by service. Called once, after the last of them. */
  parts: (source: BatchSource) => DecodedPart[];
}

/**
 * A decoder for one request.
 *
 * The keys are the SHA-256 of the decompressed body, and a number if a service has more than one batch. OTLP has no keys of
 * its own, and a sender repeats a request with the same bytes. The buffer keeps keys by service, so a request with several
 * services needs no more.
 */
export function otlpDecoder({ name, message, take, parts }: OtlpSignal): Decoder {
  return {
    body: {
      contentTypes: [JSON_TYPE, PROTOBUF_TYPE],
      maxBytes: otlpLimits.bodyBytes,
      maxCompressedBytes: otlpLimits.compressedBytes,
      whenTooLarge: "Lower the sender's batch size, such as OTEL_BSP_MAX_EXPORT_BATCH_SIZE.",
    },
    async decode(bytes, headers): Promise<Decoded> {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      readMessages(bytes, headers, message, take);
      return { parts: parts({ key: `${name}:${digest}`, digest, bytes: bytes.byteLength }) };
    },
  };
}

function readMessages(
  bytes: Uint8Array,
  headers: Headers,
  message: Message,
  take: (item: Fields) => void,
): void {
  const isBinary = isProtobuf(headers);
  try {
    if (isBinary) readProtobuf(bytes, message, take);
    else readJson(decodeText(bytes), message, take);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const format = isBinary ? "protobuf" : "JSON";
    throw new ErrorResponse(
      400,
      isBinary ? "invalid_protobuf" : "invalid_json",
      `The body is not OTLP in ${format}: ${error.message}. Nothing was recorded.`,
    );
  }
}
