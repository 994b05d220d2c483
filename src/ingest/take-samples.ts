/**
 * `POST /samples`: validates a batch, sums it into deltas, and hands it to the buffer, which acknowledges.
 * Good samples are taken even where others are bad.
 */
import type { Answer } from "../buffer/idempotency-store.ts";
import { admit } from "../access/guard.ts";
import { bearerToken } from "../access/tokens.ts";
import { readConfiguration } from "../configuration.ts";
import { ErrorResponse, unavailable } from "../http/error-response.ts";
import { limits } from "../limits.ts";
import { addPlainCall, Batch, firstMessage, type PlainCall, readSample, toDelta } from "./samples/sample.ts";
import type { Delta } from "../stats/delta.ts";
import { LatestDeltas } from "./samples/latest-deltas.ts";
import { readBody } from "./read-body.ts";
import { type BatchResult, recordTogether, type SummedBatch } from "./group-commit.ts";

/** Control characters, halves of characters, and what stands for bytes that are no UTF-8: different keys would look alike. */
const UNFIT_FOR_KEYS = /[\p{Cc}\p{Cs}\uFFFD]/u;

export interface Taken {
  answer: Answer & { duplicate: boolean };
  /** How many samples were refused, by reason. */
  rejected: Record<string, number>;
}

/**
 * The answer is given only once the batch is durable. Sent again under the same `Idempotency-Key`, a batch gets
 * its first answer again and is counted once; without a key every delivery counts.
 *
 * @throws {ErrorResponse} for a batch of which nothing was recorded
 * @throws {ConfigurationError}
 */
export async function takeSamples(request: Request, env: Env): Promise<Taken> {
  readConfiguration(env);
  const batch = await readBatch(request, env);
  const { key, answer, rejected } = batch;
  if (answer.accepted + answer.rejected === 0 && key === null)
    return { answer: { ...answer, duplicate: false }, rejected };

  const result = await record(env, batch);
  switch (result.status) {
    case "recorded":
      return { answer: { ...answer, duplicate: false }, rejected };
    case "duplicate":
      return { answer: { ...result.answer, duplicate: true }, rejected };
    case "conflict":
      throw new ErrorResponse(
        409,
        "key_reused",
        "This Idempotency-Key came before with other samples. Nothing was recorded: a key names one batch for ever.",
      );
    case "too_large":
      throw new ErrorResponse(
        413,
        "batch_too_large",
        `The batch takes more than ${limits.storedBatchBytes} bytes of storage: split its samples over several batches.`,
      );
    case "overloaded":
      throw unavailable("overloaded", "The buffer is full. Send the same batch again later.", 30);
  }
}

/**
 * Asks for the token before it reads the body, but of a beacon, which cannot set a header and carries its token in
 * the body. The samples themselves end here: what waits for the buffer is only what they sum to.
 */
async function readBatch(request: Request, env: Env): Promise<SummedBatch> {
  const token = bearerToken(request.headers);
  const isBeacon =
    token === undefined && request.headers.get("Content-Type")?.startsWith("text/plain") === true;
  let grant = isBeacon ? undefined : await admit(env, "ingest", token);
  const { text, digest } = await readBody(request);
  const batch = parseBatch(text);
  grant ??= await admit(env, "ingest", batch.token);
  if (grant.services !== null && !grant.services.has(batch.service)) {
    throw new ErrorResponse(
      403,
      "wrong_service",
      `This token may post for ${JSON.stringify([...grant.services])} only, not for ${JSON.stringify(batch.service)}.`,
    );
  }
  return {
    service: batch.service,
    key: readKey(request, batch),
    digest,
    length: text.length,
    ...sum(batch, Date.now()),
  };
}

function parseBatch(text: string): Batch {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ErrorResponse(400, "invalid_json", `The body is not JSON: ${(error as Error).message}`);
  }
  const parsed = Batch.safeParse(json);
  if (!parsed.success) throw new ErrorResponse(400, "invalid_batch", firstMessage(parsed.error));
  if (parsed.data.samples.length > limits.samplesPerBatch) {
    throw new ErrorResponse(
      413,
      "batch_too_large",
      `The batch has ${parsed.data.samples.length} samples: send at most ${limits.samplesPerBatch} at once.`,
    );
  }
  return parsed.data;
}

function readKey(request: Request, batch: Batch): string | null {
  const key = request.headers.get("Idempotency-Key") ?? batch.idempotencyKey ?? null;
  if (key === null) return null;
  if (key.length < 1 || key.length > limits.idempotencyKeyLength || UNFIT_FOR_KEYS.test(key)) {
    throw new ErrorResponse(
      400,
      "invalid_key",
      `Idempotency-Key must be a string of 1 to ${limits.idempotencyKeyLength} characters in UTF-8, none of them a control character; it has ${key.length}.`,
    );
  }
  return key;
}

function sum(batch: Batch, now: number): Pick<SummedBatch, "deltas" | "answer" | "rejected"> {
  const deltas: Delta[] = [];
  const rejected: SummedBatch["rejected"] = {};
  const answer: Answer = { accepted: 0, rejected: 0, reasons: [] };
  const latest = new LatestDeltas();
  for (let index = 0; index < batch.samples.length; index++) {
    const input = batch.samples[index];
    const { function: name, module } = namesOf(input);
    const known = typeof name === "string" ? latest.get(name, module) : undefined;
    if (known && addPlainCall(known, input as PlainCall, now)) {
      answer.accepted++;
      continue;
    }
    const read = readSample(input);
    const result = "sample" in read ? toDelta(batch.service, read.sample, now) : read;
    if ("delta" in result) {
      deltas.push(result.delta);
      latest.set(name as string, module, result.delta);
      answer.accepted++;
    } else {
      answer.rejected++;
      const reason = "sample" in read ? "too_late" : "invalid";
      rejected[reason] = (rejected[reason] ?? 0) + 1;
      if (answer.reasons.length < limits.reasonsPerBatch)
        answer.reasons.push({ index, reason: result.reason });
    }
  }
  return { deltas, answer, rejected };
}

/** The names as they were sent; what is no object has none. */
function namesOf(input: unknown): { function?: unknown; module?: unknown } {
  return typeof input === "object" && input !== null ? input : {};
}

async function record(env: Env, batch: SummedBatch): Promise<BatchResult> {
  try {
    return await recordTogether(env, batch);
  } catch (error) {
    // Whether it was recorded is not known. Only the sender can settle that, by sending it again under its key.
    throw unavailable(
      "buffer_unavailable",
      "The buffer did not answer. Send the same batch again, under the same key.",
      1,
      error,
    );
  }
}
