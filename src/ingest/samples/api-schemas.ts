/** Schemas that describe `POST /samples` in `GET /openapi.json`. */
import * as z from "zod";
import { ingestLimits } from "../limits.ts";
import { envelope } from "./read-envelope.ts";
import { singleCall, sumOfCalls } from "./read-sample.ts";

export const samplesBody = envelope.extend({
  samples: z.array(z.union([singleCall, sumOfCalls])).max(ingestLimits.samplesPerBatch),
});

export const samplesAnswer = z.object({
  accepted: z.int(),
  rejected: z.int(),
  reasons: z.array(z.object({ index: z.int(), reason: z.string() })),
  duplicate: z.boolean().meta({
    description: "Whether an earlier delivery of the batch was recorded. The answer is then its answer.",
  }),
});

/** The header `Idempotency-Key`, as a parameter of OpenAPI. */
export const idempotencyKeyParameter = {
  name: "Idempotency-Key",
  in: "header",
  description: "Identifies the batch. The batch counts once, however often it is sent under the same key.",
  schema: { type: "string", minLength: 1, maxLength: ingestLimits.idempotencyKeyLength },
} as const;
