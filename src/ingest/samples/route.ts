/** Declares `POST /samples`. */
import * as z from "zod";
import { route } from "../../http/route.ts";
import { log } from "../../log.ts";
import { ingestLimits } from "../limits.ts";
import { envelope } from "./read-envelope.ts";
import { singleCall, sumOfCalls } from "./read-sample.ts";
import { takeSamples } from "./take-samples.ts";

const Body = envelope.extend({
  samples: z.array(z.union([singleCall, sumOfCalls])).max(ingestLimits.samplesPerBatch),
});

const Answer = z.object({
  accepted: z.int(),
  rejected: z.int(),
  reasons: z.array(z.object({ index: z.int(), reason: z.string() })),
  rejectedRanges: z
    .array(z.array(z.int()))
    .optional()
    .meta({ description: "The first and the last index of each run of rejected samples." }),
  duplicate: z
    .boolean()
    .meta({ description: "Whether this is the answer to an earlier delivery of the batch." }),
});

export const takeSamplesRoute = route({
  method: "post",
  path: "/samples",
  // A beacon cannot set headers, so its token is in the body.
  right: "in handler",
  logsErrors: true,
  summary: "Take samples in",
  description:
    "Good samples are accepted even if others are rejected. If all of them are rejected, the status is 422. A batch that " +
    "is sent again under the same `Idempotency-Key` is counted once.",
  query: z.object({
    ageMs: z.coerce
      .number({ error: "a number of milliseconds, 0 or more" })
      .min(0, { error: "a number of milliseconds, 0 or more" })
      .optional()
      .meta({
        description:
          "How long ago the batch was made, by a clock that nobody sets. With `sentAt` in the body, the server then dates " +
          "the samples by its own clock.",
      }),
  }),
  headers: {
    "Idempotency-Key": {
      description: "Names the batch. However often it is sent, it is counted once.",
      schema: { type: "string", minLength: 1, maxLength: ingestLimits.idempotencyKeyLength },
    },
  },
  body: Body,
  status: 202,
  answer: Answer,
  otherStatuses: { 422: "None of the samples was accepted. `reasons` says why." },
  errors: [400, 401, 403, 409, 413, 415, 429, 503],
  async handler(c, { query }) {
    const { answer, rejected } = await takeSamples(c.req.raw, c.env, query.ageMs);
    if (answer.rejected > 0) log("samples_rejected", { requestId: c.get("requestId"), rejected });
    const isRefused = answer.accepted === 0 && answer.rejected > 0;
    return c.json(answer, isRefused ? 422 : 202);
  },
});
