/** `POST /repair`: has flushes sent again that D1 has lost, and settles those that nobody has any more. */
import * as z from "zod";
import { callBinding } from "../call-binding.ts";
import { callAllBuffers } from "../buffer/buffers.ts";
import { ErrorResponse } from "../http/error-response.ts";
import { route } from "../http/route.ts";
import { log } from "../log.ts";
import { readBufferHealth } from "../read/buffer-health.ts";
import { recallLost } from "../recall/recall-lost.ts";
import { acceptLoss } from "../store/ledger.ts";

const Repaired = z.object({
  recalledFlushes: z.int().meta({ description: "D1 had lost them. They are sent again." }),
  lostFlushes: z.int().meta({ description: "D1 has lost them, and the buffer does not keep them any more." }),
  lostSince: z.iso.datetime().nullable().meta({ description: "When D1 applied the flush before them." }),
  isLossAccepted: z.boolean(),
});

export const repairRoute = route({
  method: "post",
  path: "/repair",
  right: "admin",
  summary: "Send again what D1 has lost, and accept the loss of what nobody has any more",
  query: z.object({
    acceptLoss: z.stringbool().optional().meta({
      description:
        "Whether flushes that nobody has any more are given up, so that `GET /health` is well again.",
    }),
  }),
  answer: Repaired,
  errors: [400, 401, 403, 409, 429, 503],
  handler: (c, { query }) => repair(c.env, query.acceptLoss === true),
});

export async function repair(
  env: Pick<Env, "BUFFER" | "DB">,
  mayAcceptLoss: boolean,
): Promise<z.output<typeof Repaired>> {
  const lost = await recallLost(env);
  const { recalledFlushes } = await readBufferHealth(env);
  if (mayAcceptLoss && lost.length > 0) {
    const settled = await callAllBuffers(env, async (buffer) => await buffer.settledBelow());
    for (const { epoch, last } of lost) {
      const below = settled.find((buffer) => buffer.epoch === epoch);
      // The low watermark may not pass a flush that is still on its way.
      if (!below || below.n <= last) throw stillOnTheWay();
      await callBinding("D1", () => acceptLoss(env.DB, epoch, last + 1));
      log("loss_accepted", { epoch, last });
    }
  }
  const since = lost[0]?.since ?? null;
  return {
    recalledFlushes,
    lostFlushes: lost.reduce((sum, { flushes }) => sum + flushes, 0),
    lostSince: since === null ? null : new Date(since).toISOString(),
    isLossAccepted: mayAcceptLoss && lost.length > 0,
  };
}

function stillOnTheWay(): ErrorResponse {
  return new ErrorResponse(
    409,
    "still_on_the_way",
    "Flushes before the lost ones are still on their way to D1. Nothing was accepted. Try again when GET /health shows no " +
      "unconfirmedFlushes; replay or drop dead letters first.",
  );
}
