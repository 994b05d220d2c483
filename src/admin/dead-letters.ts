/**
 * `/dead-letters`: flushes that D1 keeps refusing, for a person to look at, send again or drop. Until it is dropped,
 * a dead letter counts in every read.
 */
import { callBinding } from "../binding-fault.ts";
import { ErrorResponse } from "../http/error-response.ts";
import { log } from "../log.ts";
import { theBuffer } from "../buffer/buffers.ts";
import {
  type Delta,
  type Failure,
  type FunctionId,
  mergeDeltas,
  parseDeltas,
  type Sums,
} from "../stats/delta.ts";
import { type Histogram, toHistogram } from "../stats/histogram.ts";
import { settle } from "../store/ledger.ts";

export interface DeadLetterView {
  /** `<epoch>:<n>` */
  id: string;
  /** What D1 said. */
  reason: string;
  sealedAt: string;
  nextTryAt: string;
  attempts: number;
  bytes: number;
}

/** By how much each counter falls, as a sample would say it: the calls are gone from every read from now on. */
export interface Dropped {
  dropped: (FunctionId &
    Pick<Sums, "calls" | "errors" | "unmeasured"> & {
      sumMs: number;
      histogram: Histogram;
      failures: Failure[];
    })[];
}

export async function listDeadLetters(env: Pick<Env, "BUFFER">): Promise<DeadLetterView[]> {
  const letters = await callBinding("The buffer", async () => await theBuffer(env).deadLetters());
  return letters.map(({ epoch, n, sealedAt, nextTryAt, ...letter }) => ({
    id: `${epoch}:${n}`,
    ...letter,
    sealedAt: new Date(sealedAt).toISOString(),
    nextTryAt: new Date(nextTryAt).toISOString(),
  }));
}

/** @throws {ErrorResponse} 404 */
export async function replayDeadLetter(env: Pick<Env, "BUFFER">, id: string): Promise<void> {
  const { epoch, n } = parseId(id);
  const isKnown = await callBinding("The buffer", () => theBuffer(env).replay(epoch, n));
  if (!isKnown) throw notFound(id);
  log("dead_letter_replayed", { epoch, n });
}

/**
 * The one act that may lower a counter. The ledger comes first: from then on no copy of the flush can be applied, and
 * reads leave it out; only then does the buffer forget it. Until it has, asking again does the rest, and answers the
 * same.
 *
 * @throws {ErrorResponse} 404, and 409 where D1 has taken it after all
 */
export async function dropDeadLetter(env: Pick<Env, "BUFFER" | "DB">, id: string): Promise<Dropped> {
  const { epoch, n } = parseId(id);
  const deltas = await callBinding("The buffer", () => theBuffer(env).deadDeltas(epoch, n));
  if (deltas === null) throw notFound(id);
  const settled = await callBinding("D1", () => settle(env.DB, epoch, n));
  await callBinding("The buffer", () => theBuffer(env).confirm(epoch, [n]));
  if (settled === null) throw notFound(id);
  if (settled === "applied") {
    throw new ErrorResponse(
      409,
      "already_applied",
      `D1 has taken ${id} after all: it counts, and nothing was dropped.`,
    );
  }
  log("dead_letter_dropped", { epoch, n });
  return { dropped: fallOf(parseDeltas(deltas)) };
}

function fallOf(deltas: readonly Delta[]): Dropped["dropped"] {
  const ofFunctions = mergeDeltas(deltas.map((delta) => ({ ...delta, minute: 0 })));
  return ofFunctions.map(({ service, module, function: name, ...delta }) => ({
    service,
    module,
    function: name,
    calls: delta.calls,
    errors: delta.errors,
    unmeasured: delta.unmeasured,
    sumMs: delta.sumUs / 1000,
    histogram: toHistogram(delta.buckets),
    failures: delta.failures,
  }));
}

function parseId(id: string): { epoch: string; n: number } {
  const match = /^(.+):([1-9]\d{0,14})$/.exec(id);
  if (!match) throw notFound(id);
  return { epoch: match[1]!, n: Number(match[2]) };
}

function notFound(id: string): ErrorResponse {
  return new ErrorResponse(
    404,
    "not_found",
    `There is no dead letter ${id}. GET /dead-letters lists those there are.`,
  );
}
