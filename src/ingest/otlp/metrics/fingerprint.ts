/**
 * Names attributes by a short text, so that the streams of a sender take little room. 128 bits, not cryptographic: whoever
 * looks for two names with one fingerprint can only confuse streams of its own.
 */
import type { Attributes } from "../wire/message.ts";

/** Start and multiplier of each lane. */
const LANES = [
  [0x811c9dc5, 0x01000193],
  [0x9747b28c, 0x85ebca6b],
  [0x3c6ef372, 0xc2b2ae35],
  [0x1b873593, 0x27d4eb2f],
] as const;

export function fingerprint(text: string): string {
  return LANES.map(([start, multiplier]) => {
    let hash = start ^ text.length;
    for (let i = 0; i < text.length; i++) {
      hash = Math.imul(hash ^ text.charCodeAt(i), multiplier);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
    return ((hash ^ (hash >>> 13)) >>> 0).toString(36);
  }).join(".");
}

/** The same text for the same attributes in any order. */
export function attributesText(attributes: Attributes | undefined): string {
  if (attributes === undefined || attributes.size === 0) return "";
  return JSON.stringify([...attributes].sort(([a], [b]) => (a < b ? -1 : 1)));
}
