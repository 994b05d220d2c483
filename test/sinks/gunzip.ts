/** Reads a body that a sink has compressed. */
export function gunzip(body: string | Uint8Array<ArrayBuffer>): Promise<string> {
  return new Response(new Blob([body]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}
