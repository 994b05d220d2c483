/**
 * `/dead-letters`: lists flushes that D1 keeps refusing, sends them again, or drops them. The calls in a dead letter count in
 * every read until it is dropped.
 */
import * as z from "zod";
import { callAllBuffers } from "../buffer/buffers.ts";
import { callBinding } from "../call-binding.ts";
import { ErrorResponse } from "../http/error-response.ts";
import { route } from "../http/route.ts";
import { log } from "../log.ts";
import { toHistogram } from "../stats/histogram.ts";
import { settle } from "../store/ledger.ts";
import { type Delta, mergeDeltas, parseDeltas } from "../stats/delta.ts";

const DeadLetterList = z.object({
  deadLetters: z.array(
    z.object({
      id: z.string().meta({ description: "<epoch>:<n>" }),
      reason: z.string().meta({ description: "What D1 answered." }),
      sealedAt: z.iso.datetime(),
      nextTryAt: z.iso.datetime(),
      attempts: z.int(),
      bytes: z.int(),
    }),
  ),
});

const Dropped = z.object({
  dropped: z
    .array(
      z.object({
        service: z.string(),
        module: z.string(),
        function: z.string(),
        calls: z.int(),
        errors: z.int(),
        unmeasured: z.int(),
        sumMs: z.number(),
        histogram: z.record(z.string(), z.int()),
        failures: z.array(z.object({ name: z.string(), message: z.string(), calls: z.int() })),
      }),
    )
    .meta({ description: "By how much each counter falls. No answer contains these calls from now on." }),
});

export const listDeadLettersRoute = route({
  method: "get",
  path: "/dead-letters",
  right: "read",
  summary: "Flushes that D1 keeps refusing",
  query: z.object({}),
  answer: DeadLetterList,
  errors: [401, 403, 429, 503],
  handler: async (c) => ({ deadLetters: await listDeadLetters(c.env) }),
});

export const replayDeadLetterRoute = route({
  method: "post",
  path: "/dead-letters/:id/replay",
  right: "admin",
  summary: "Send a dead letter again now",
  query: z.object({}),
  status: 202,
  answer: z.object({ replayed: z.string() }),
  errors: [401, 403, 404, 429, 503],
  async handler(c, { params: { id } }) {
    await replayDeadLetter(c.env, id);
    return { replayed: id };
  },
});

export const dropDeadLetterRoute = route({
  method: "delete",
  path: "/dead-letters/:id",
  right: "admin",
  summary: "Drop a dead letter: its calls are never counted, and the answer says how much each counter falls",
  query: z.object({}),
  answer: Dropped,
  errors: [401, 403, 404, 409, 429, 503],
  handler: (c, { params: { id } }) => dropDeadLetter(c.env, id),
});

export async function listDeadLetters(
  env: Pick<Env, "BUFFER">,
): Promise<z.output<typeof DeadLetterList>["deadLetters"]> {
  const letters = await callAllBuffers(env, async (buffer) => await buffer.deadLetters());
  return letters.flat().map(({ epoch, n, sealedAt, nextTryAt, ...letter }) => ({
    id: `${epoch}:${n}`,
    ...letter,
    sealedAt: new Date(sealedAt).toISOString(),
    nextTryAt: new Date(nextTryAt).toISOString(),
  }));
}

export async function replayDeadLetter(env: Pick<Env, "BUFFER">, id: string): Promise<void> {
  const { epoch, n } = parseId(id);
  const isKnown = await callAllBuffers(env, async (buffer) => await buffer.replay(epoch, n));
  if (!isKnown.includes(true)) throw notFound(id);
  log("dead_letter_replayed", { epoch, n });
}

/**
 * Drops a dead letter. The same call again gives the same answer, for as long as the buffer remembers what it dropped.
 *
 * WARNING: this lowers counters, and the order matters. First write to the ledger: from then on no copy of the flush can be
 * applied, and reads leave it out. Then delete it from the buffer. If that fails, the same call again completes the drop.
 *
 * @throws {ErrorResponse} 404, or 409 if D1 has applied it after all
 */
export async function dropDeadLetter(
  env: Pick<Env, "BUFFER" | "DB">,
  id: string,
): Promise<z.output<typeof Dropped>> {
  const { epoch, n } = parseId(id);
  const { buffer, deltas, isDropped } = await findDeadLetter(env, id, epoch, n);
  if (isDropped) return { dropped: sumsByFunction(parseDeltas(deltas)) };
  const settled = await callBinding("D1", () => settle(env.DB, epoch, n));
  if (settled !== "dropped") await callBinding("The buffer", () => buffer.confirmApplied(epoch, n));
  if (settled === null) throw notFound(id);
  if (settled === "applied") {
    throw new ErrorResponse(
      409,
      "already_applied",
      `D1 has applied ${id} already. Its calls stay counted, and nothing was dropped.`,
    );
  }
  const held = await callBinding("The buffer", async () => await buffer.confirmDropped(epoch, n));
  log("dead_letter_dropped", { epoch, n });
  return { dropped: sumsByFunction(parseDeltas(held ?? deltas)) };
}

/** Finds a dead letter's deltas, and the buffer that holds them. `isDropped` says that it was dropped before. */
async function findDeadLetter(env: Pick<Env, "BUFFER">, id: string, epoch: string, n: number) {
  const found = await callAllBuffers(env, async (buffer) => {
    const dead = await buffer.deadDeltas(epoch, n);
    const deltas = dead ?? (await buffer.droppedDeltas(epoch, n));
    return { buffer, deltas, isDropped: dead === null };
  });
  const own = found.find(({ deltas }) => deltas !== null);
  if (!own) throw await undroppable(env, id);
  return { ...own, deltas: own.deltas! };
}

/**
 * The error for a dead letter whose deltas were not found. Either it does not exist, or it is a deletion. If a deletion was
 * dropped, the deleted series would appear again.
 */
async function undroppable(env: Pick<Env, "BUFFER">, id: string): Promise<ErrorResponse> {
  const letters = await listDeadLetters(env);
  if (!letters.some((letter) => letter.id === id)) return notFound(id);
  return new ErrorResponse(
    409,
    "is_deletion",
    `The dead letter ${id} deletes series and cannot be dropped. Remove the cause that GET /dead-letters gives as its ` +
      "reason, then replay it.",
  );
}

function sumsByFunction(deltas: readonly Delta[]): z.output<typeof Dropped>["dropped"] {
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
  return new ErrorResponse(404, "not_found", `There is no dead letter ${id}. GET /dead-letters lists them.`);
}
