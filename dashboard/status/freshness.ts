/** How old the shown numbers are, and whether that is normal. Pages report it; the frame shows it. */
import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import { longestWaitMs } from "../api/limited-fetch.ts";
import type { Live } from "../api/use-live.ts";

/** What a page reports about its main data. */
export interface Freshness {
  /** The server's time when the numbers arrived. 0 before the first ones. */
  readAt: number;
  /** Null if nothing is refreshed. */
  intervalMs: number | null;
  hasFailed: boolean;
}

export const NOTHING_READ: Freshness = { readAt: 0, intervalMs: null, hasFailed: false };

/** A request that waits longer is shown. With the health check every 8 s, a hanging server is seen within 15 s. */
export const WAITING_MS = 5_000;
/** Numbers are old if they are this much older than the interval between refreshes. */
const LATE_MS = 10_000;

export type Condition = "fresh" | "waiting" | "old" | "failed";

/** `now` is the server's time. */
export function conditionOf({ readAt, intervalMs, hasFailed }: Freshness, now: number): Condition {
  if (hasFailed) return "failed";
  if (intervalMs !== null && readAt > 0 && now - readAt > intervalMs + LATE_MS) return "old";
  return longestWaitMs() > WAITING_MS ? "waiting" : "fresh";
}

export const FreshnessContext = createContext<(freshness: Freshness) => void>(() => {});

/** Reports the main data of a page to the frame. */
export function useReport({ readAt, intervalMs, error }: Live<unknown>): void {
  const report = useContext(FreshnessContext);
  const hasFailed = error !== undefined;
  useEffect(() => {
    report({ readAt, intervalMs, hasFailed });
  }, [readAt, intervalMs, hasFailed]);
  useEffect(() => () => report(NOTHING_READ), []);
}
