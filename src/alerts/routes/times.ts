/** Times of answers. */

/** ISO 8601 of epoch seconds. */
export function iso(epochSeconds: number): string;
export function iso(epochSeconds: number | null): string | null;
export function iso(epochSeconds: number | null): string | null {
  return epochSeconds === null ? null : new Date(epochSeconds * 1000).toISOString();
}
