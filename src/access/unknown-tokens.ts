/** Logs requests with unknown tokens, at most one line a minute in each isolate. */
import { log } from "../log.ts";
import type { Right } from "./tokens.ts";

const PERIOD_MS = 60_000;

let loggedAt = -Infinity;
let unlogged = 0;

/** `requests` in the log counts this request and those since the last line. */
export function logUnknownToken(right: Right, address: string): void {
  unlogged++;
  const now = Date.now();
  if (now - loggedAt < PERIOD_MS) return;
  log("unknown_token", { right, address, requests: unlogged });
  loggedAt = now;
  unlogged = 0;
}
