/** Makes batches arrive together: controls how long ingest waits for further batches of a group. */
import { abortAllDurableObjects } from "cloudflare:test";
import type { BatchGroup } from "../../src/buffer/interface.ts";
import type { Broken, GroupFate } from "./step.ts";

/** Long enough for everything that is sent at once to arrive, in milliseconds. If it is not, there are more groups. */
const TOGETHER_MS = 4;

/**
 * Runs `work`. The batches that it sends go to the buffer in one group. If the group "is cut off", the buffer is killed, and
 * chance decides whether the group was durable and whether it was answered.
 */
export async function together<T>(fate: GroupFate, work: () => Promise<T>): Promise<T> {
  let isLast = false;
  const later = (next: () => void) => {
    // Once more around the event loop.
    if (isLast) return next();
    setTimeout(() => {
      isLast = true;
      next();
      isLast = false;
    }, TOGETHER_MS);
  };
  // Tests and the Worker share their globals, so this replaces the function for ingest.
  const real = globalThis.setImmediate;
  globalThis.setImmediate = later as unknown as typeof setImmediate;
  try {
    const working = work();
    if (fate === "is cut off") {
      await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS + 1));
      await abortAllDurableObjects();
    }
    return await working;
  } finally {
    globalThis.setImmediate = real;
  }
}

/** A group that ingest never sends. Storing it throws. */
export function brokenGroup(broken: Broken, service: string, key: string): BatchGroup {
  const nothing: unknown = null;
  const batches = [{ key, digest: "", answer: { accepted: 1, rejected: 0, reasons: [] } }];
  const group = { service, batches, deltas: "[]", bytes: 2, functions: [], rejected: {} };
  return broken === "at first"
    ? { ...group, functions: nothing as BatchGroup["functions"] }
    : { ...group, deltas: nothing as string };
}
