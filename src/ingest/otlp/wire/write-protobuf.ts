/** Writes protobuf's wire format: numbers, texts and messages, which is all that OTLP's answers have. */

const encoder = new TextEncoder();
const VARINT = 0;
const LENGTH = 2;

export function numberField(number: number, value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...varint((number << 3) | VARINT), ...varint(value)]);
}

export function textField(number: number, text: string): Uint8Array<ArrayBuffer> {
  return messageField(number, encoder.encode(text));
}

export function messageField(number: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatenated([
    Uint8Array.from([...varint((number << 3) | LENGTH), ...varint(content.length)]),
    content,
  ]);
}

export function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A whole number up to 2^53. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
