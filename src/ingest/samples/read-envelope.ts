/** Validates the body of `POST /samples`, except for its samples. */
import * as z from "zod";
import { ErrorResponse } from "../../http/error-response.ts";
import { OVERFLOW } from "../../stats/overflow.ts";
import { ingestLimits } from "../limits.ts";
import { mustBe, name, optional } from "./fields.ts";
import { firstMessage } from "./read-sample.ts";

export const envelope = z.object(
  {
    service: name("service", ingestLimits.serviceLength).refine((service) => service !== OVERFLOW, {
      error: `service must not be ${OVERFLOW}: calls of services above the limit are added up under this name.`,
    }),
    // Samples are validated one by one, so that a bad sample does not reject the others. `z.array(z.unknown())` would copy
    // all of them.
    samples: z.custom<unknown[]>(Array.isArray, { error: mustBe("samples must be an array") }),
    /** When the batch was made, by the clock that dated its samples. 0 if that clock had no time. */
    sentAt: optional(z.number({ error: mustBe("sentAt must be a number of epoch milliseconds") })),
    /** For senders that cannot set headers, such as beacons. */
    idempotencyKey: optional(z.string({ error: mustBe("idempotencyKey must be a string") })),
    /** Also for beacons. The error message must not repeat the value, which may be a secret. */
    token: optional(z.string({ error: () => "token must be a string." })),
  },
  { error: mustBe("The body must be a JSON object with a service and samples") },
);
export type Envelope = z.infer<typeof envelope>;

/** @throws {ErrorResponse} 400 if it is not a batch, 413 if it has too many samples */
export function readEnvelope(body: unknown): Envelope {
  const { data, error } = envelope.safeParse(body);
  if (error) throw new ErrorResponse(400, "invalid_batch", firstMessage(error));
  const { length } = data.samples;
  if (length > ingestLimits.samplesPerBatch) {
    throw new ErrorResponse(
      413,
      "batch_too_large",
      `The batch has ${length} samples. Send at most ${ingestLimits.samplesPerBatch} at once.`,
    );
  }
  return data;
}
