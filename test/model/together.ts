/** The moment in which ingest waits for what arrives together, under the test's hand. */
import { abortAllDurableObjects } from "cloudflare:test";
import type { BatchGroup } from "../../src/buffer/interface.ts";
import type { Broken, GroupFate } from "./step.ts";

/** Long enough for all that is sent at once to arrive, in milliseconds. Where it is not, there are more groups. */
const TOGETHER_MS = 4;

/**
 * What is sent meanwhile goes to the buffer together, and ends in the way given. Whether what is cut off was durable and
 * was answered, is a matter of luck.
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
  // Tests and the Worker share their globals.
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

/** A batch that is none, sent by nobody but a test: its storing throws. */
export function brokenGroup(broken: Broken, service: string, key: string): BatchGroup {
  const nothing: unknown = null;
  const batches = [{ key, digest: "", answer: { accepted: 1, rejected: 0, reasons: [] } }];
  const group = { service, batches, deltas: "[]", bytes: 2, functions: [], rejected: {} };
  return broken === "at first"
    ? { ...group, functions: nothing as BatchGroup["functions"] }
    : { ...group, deltas: nothing as string };
}
