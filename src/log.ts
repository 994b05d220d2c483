/** Writes logs: one JSON object a line, for events and never for single samples. */

export function log(event: string, fields: Record<string, unknown> = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/** Logs a fault: one that a retry will repair, or one that a person should look at. */
export function logError(event: string, error: unknown, fields: Record<string, unknown> = {}): void {
  console.error(JSON.stringify({ event, ...fields, error: String(error) }));
}
