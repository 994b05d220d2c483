/** What a text takes where it is stored and sent: bytes of UTF-8. */

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}
