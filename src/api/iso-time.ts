/** Writes epoch seconds as ISO 8601. */

export function isoTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString();
}
