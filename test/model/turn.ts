/** The buffer's turn of the event loop, in which it stores what arrived together, under the test's hand. */
import { abortAllDurableObjects } from "cloudflare:test";
import type { RecordedBatch } from "../../src/buffer/interface.ts";
import type { Broken, TurnFate } from "./step.ts";

/** Long enough for all that is sent at once to arrive, in milliseconds. Where it is not, there are two turns. */
const TOGETHER_MS = 4;

/**
 * What is sent meanwhile is stored in one turn, which ends in the way given; a turn after it ends well. Whether what is
 * cut off was durable and was answered, is a matter of luck.
 */
export async function withOneTurn<T>(fate: TurnFate, work: () => Promise<T>): Promise<T> {
  let turns = 0;
  let isBeginning = false;
  const beginLater = (begin: () => void) => {
    // Once more around the event loop.
    if (isBeginning) return begin();
    const isFirst = turns++ === 0;
    if (isFirst && fate === "is never begun") return;
    setTimeout(() => {
      isBeginning = true;
      begin();
      isBeginning = false;
    }, TOGETHER_MS);
  };
  // Tests and the Durable Object share their globals.
  const real = globalThis.setImmediate;
  globalThis.setImmediate = beginLater as unknown as typeof setImmediate;
  try {
    const working = work();
    if (fate !== "ends well") {
      await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS + 1));
      await abortAllDurableObjects();
    }
    return await working;
  } finally {
    globalThis.setImmediate = real;
  }
}

/** A batch that is none, sent by nobody but a test: its storing throws. */
export function brokenBatch(broken: Broken, service: string, key: string): RecordedBatch {
  const nothing: unknown = null;
  const answer = { accepted: 1, rejected: 0, reasons: [] };
  const deltas = { items: 1, deltas: "[]", bytes: 2, functions: [] };
  const batch = { service, key, digest: "", ...deltas, answer, rejected: {} };
  return broken === "at first"
    ? { ...batch, functions: nothing as RecordedBatch["functions"] }
    : { ...batch, deltas: nothing as string };
}
