/** The two encodings of OTLP over HTTP. An answer has the encoding of its request. */
import { contentTypeOf } from "../read-body.ts";

export const JSON_TYPE = "application/json";
export const PROTOBUF_TYPE = "application/x-protobuf";

/** Whether a request is in protobuf. */
export function isProtobuf(headers: Headers): boolean {
  return contentTypeOf(headers) === PROTOBUF_TYPE;
}
