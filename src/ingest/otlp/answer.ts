/** Writes OTLP's answers, in the encoding of the request. */
import { isProtobuf, JSON_TYPE, PROTOBUF_TYPE } from "./encoding.ts";
import { concatenated, messageField, numberField, textField } from "./wire/write-protobuf.ts";

/** Spans or data points that were not counted. The sender must not send them again. */
export interface PartialSuccess {
  rejected: number;
  message: string;
}

/** @param counter the name of the field that counts rejected items */
export function successBody(
  headers: Headers,
  { rejected, message }: PartialSuccess,
  counter: "rejectedSpans" | "rejectedDataPoints",
): BodyInit {
  const isComplete = rejected === 0 && message === "";
  if (isProtobuf(headers)) {
    if (isComplete) return new Uint8Array(0);
    return messageField(1, concatenated([numberField(1, rejected), textField(2, message)]));
  }
  return isComplete
    ? "{}"
    : JSON.stringify({ partialSuccess: { [counter]: rejected, errorMessage: message } });
}

/** A `google.rpc.Status`. */
export function statusBody(headers: Headers, code: number, message: string): BodyInit {
  if (isProtobuf(headers)) return concatenated([numberField(1, code), textField(2, message)]);
  return JSON.stringify({ code, message });
}

export function answerType(headers: Headers): string {
  return isProtobuf(headers) ? PROTOBUF_TYPE : JSON_TYPE;
}
