/** Logs for machines and people alike: one JSON object a line, at events and never at single samples. */

export function log(event: string, fields: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** Something went wrong that heals by itself or needs a look. */
export function logError(event: string, error: unknown, fields: Record<string, unknown> = {}): void {
  console.error(JSON.stringify({ event, ...fields, error: String(error) }));
}
