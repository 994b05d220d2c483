/** Cuts merged deltas into parts that each fit a queue message. */
import type { Delta } from "../stats/delta.ts";
import { byteLength } from "../byte-length.ts";

/** JSON arrays of deltas, none of them above the size given (in bytes of UTF-8). */
export function chunkDeltas(deltas: readonly Delta[], maxBytes: number): string[] {
  const parts: string[] = [];
  let part: string[] = [];
  let size = 2;
  for (const json of deltas.flatMap((delta) => jsonOf(delta, maxBytes - 2))) {
    const bytes = byteLength(json);
    if (size + bytes + 1 > maxBytes && part.length > 0) {
      parts.push(`[${part.join(",")}]`);
      part = [];
      size = 2;
    }
    part.push(json);
    size += bytes + 1;
  }
  if (part.length > 0) parts.push(`[${part.join(",")}]`);
  return parts;
}

/** One delta, or several that merge to it: only failures can make one too large, and they travel on their own. */
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
