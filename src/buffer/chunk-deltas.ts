/** Splits merged deltas into chunks that each fit one queue message. */
import { byteLength } from "../byte-length.ts";
import type { Delta } from "../stats/delta.ts";

/**
 * Returns JSON arrays of deltas, each of at most `maxBytes` in UTF-8. Together they merge to the given deltas. A delta that is
 * too large even without its failures gets a chunk of its own, which is larger than `maxBytes`.
 */
export function chunkDeltas(deltas: readonly Delta[], maxBytes: number): string[] {
  const chunks: string[] = [];
  let chunk: string[] = [];
  let size = 2;
  for (const json of deltas.flatMap((delta) => jsonOf(delta, maxBytes - 2))) {
    const bytes = byteLength(json);
    if (size + bytes + 1 > maxBytes && chunk.length > 0) {
      chunks.push(`[${chunk.join(",")}]`);
      chunk = [];
      size = 2;
    }
    chunk.push(json);
    size += bytes + 1;
  }
  if (chunk.length > 0) chunks.push(`[${chunk.join(",")}]`);
  return chunks;
}

/** The delta as JSON, or several deltas that merge to it. Only failures make a delta large, so they are halved until it fits. */
function jsonOf(delta: Delta, maxBytes: number): string[] {
  const json = JSON.stringify(delta);
  if (byteLength(json) <= maxBytes || delta.failures.length < 2) return [json];
  const half = Math.ceil(delta.failures.length / 2);
  return [
    ...jsonOf({ ...delta, failures: delta.failures.slice(0, half) }, maxBytes),
    ...jsonOf({ ...withoutCalls(delta), failures: delta.failures.slice(half) }, maxBytes),
  ];
}

function withoutCalls(delta: Delta): Delta {
  return { ...delta, calls: 0, errors: 0, unmeasured: 0, sumUs: 0, minMs: null, maxMs: null, buckets: [] };
}
