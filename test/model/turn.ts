/** The buffer's turn of the event loop, in which it stores what arrived together, under the test's hand. */
import { abortAllDurableObjects } from "cloudflare:test";
import type { RecordedBatch } from "../../src/buffer/interface.ts";
import type { Broken, TurnFate } from "./step.ts";

/** Long enough for all that is sent at once to arrive, in milliseconds. Where it is not, there are two turns. */
const TOGETHER_MS = 4;

/** The buffer begins each turn at once, and not when its timer rings: a millisecond or two of nothing else. */
export async function withShortTurns<T>(work: () => Promise<T>): Promise<T> {
  return withTurns((begin) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      begin();
    });
    port1.start();
    port2.postMessage(null);
  }, work);
}

/**
 * What is sent meanwhile is stored in one turn, which ends in the way given; a turn after it ends well. Whether what is
 * cut off was durable and was answered, is a matter of luck.
 */
export async function withOneTurn<T>(fate: TurnFate, work: () => Promise<T>): Promise<T> {
  const later = globalThis.setTimeout;
  let turns = 0;
  const beginLater = (begin: () => void) => {
    const isFirst = turns++ === 0;
    if (!isFirst || fate !== "is never begun") later(begin, TOGETHER_MS);
  };
  return withTurns(beginLater, async () => {
    const working = work();
    if (fate !== "ends well") {
      await new Promise((resolve) => later(resolve, TOGETHER_MS + 1));
      await abortAllDurableObjects();
    }
    return working;
  });
}

/** A batch that is none, sent by nobody but a test: its storing throws. */
export function brokenBatch(broken: Broken, service: string, key: string): RecordedBatch {
  const nothing: unknown = null;
  const answer = { accepted: 1, rejected: 0, reasons: [] };
  const batch = { service, key, digest: "", items: 1, deltas: "[]", functions: [], answer };
  return broken === "at first"
    ? { ...batch, functions: nothing as RecordedBatch["functions"] }
    : { ...batch, deltas: nothing as string };
}

/** Tests and the Durable Object share their globals. A timer with a delay is nobody's turn. */
async function withTurns<T>(beginLater: (begin: () => void) => void, work: () => Promise<T>): Promise<T> {
  const real = globalThis.setTimeout;
  const inTurns = (...[callback, delay, ...rest]: Parameters<typeof setTimeout>): unknown =>
    delay === undefined ? beginLater(callback as () => void) : real(callback, delay, ...rest);
  globalThis.setTimeout = inTurns as typeof setTimeout;
  try {
    return await work();
  } finally {
    globalThis.setTimeout = real;
  }
}
