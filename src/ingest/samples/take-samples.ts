/** Handles `POST /samples`. */
import type { Answer } from "../../buffer/idempotency-store.ts";
import type { Rejections } from "../batch.ts";
import { ingest } from "../ingest.ts";
import { samplesDecoder } from "./decoder.ts";

export interface TakenSamples {
  answer: Answer & { duplicate: boolean };
  /** How many samples of this delivery were rejected, by reason. For the log. */
  rejected: Rejections;
}

/**
 * Returns the answer once the batch is durable. Valid samples are accepted even if others are rejected. A batch with an
 * `Idempotency-Key` counts once, however often it is sent; later deliveries get the first answer. A batch without a key
 * counts at every delivery.
 *
 * @param ageMs how long ago the batch was made, if the sender says so
 * @throws {ErrorResponse} if nothing was recorded, or with 503 `buffer_unavailable` if that is unknown
 * @throws {ConfigurationError}
 */
export async function takeSamples(
  request: Request,
  env: Env,
  ageMs: number | undefined,
): Promise<TakenSamples> {
  const [outcome] = await ingest(request, env, samplesDecoder(ageMs));
  const { answer, isDuplicate, rejected } = outcome!;
  return { answer: { ...answer, duplicate: isDuplicate }, rejected };
}
