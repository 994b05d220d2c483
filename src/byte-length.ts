/** Measures a text in bytes of UTF-8, the form in which it is stored and sent. */

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}
