/** Commits batches to the buffer and turns its results into outcomes or errors. */
import { bufferFor } from "../buffer/buffers.ts";
import type { Answer } from "../buffer/idempotency-store.ts";
import { ErrorResponse, unavailable } from "../http/error-response.ts";
import type { Batch, Rejections } from "./batch.ts";
import { type BatchResult, recordTogether } from "./group-commit.ts";
import { ingestLimits } from "./limits.ts";

/** The result of a batch that is durable. */
export interface Outcome {
  answer: Answer;
  /** Whether an earlier delivery recorded the batch. The answer is then the one that the earlier delivery got. */
  isDuplicate: boolean;
  /** How many samples of this delivery were rejected, by reason. */
  rejected: Rejections;
}

const RETRY_WHEN_FULL_SECONDS = 30;
const RETRY_WHEN_SILENT_SECONDS = 1;

/**
 * Returns the outcomes in the order of the batches, once all batches are settled.
 *
 * @throws {ErrorResponse} if at least one batch was not recorded. A 503 takes precedence over errors that a retry cannot
 *   repair, because after such an error the sender would drop all batches, including one that only needs a retry.
 */
export async function commitBatches(env: Env, batches: readonly Batch[]): Promise<Outcome[]> {
  const settled = await Promise.allSettled(batches.map((batch) => commit(env, batch)));
  const errors = settled.flatMap((result) =>
    result.status === "rejected" ? [result.reason as unknown] : [],
  );
  if (errors.length > 0) throw errors.find(isRetryable) ?? errors[0];
  return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function isRetryable(error: unknown): boolean {
  return error instanceof ErrorResponse && error.status === 503;
}

async function commit(env: Env, batch: Batch): Promise<Outcome> {
  const { key, answer, rejected } = batch;
  const isEmpty = answer.accepted + answer.rejected === 0;
  // Nothing to count, and no key to remember.
  if (isEmpty && key === null) return { answer, isDuplicate: false, rejected };

  const result = await record(env, batch);
  switch (result.status) {
    case "recorded":
      return { answer, isDuplicate: false, rejected };
    case "duplicate":
      return { answer: result.answer, isDuplicate: true, rejected };
    case "conflict":
      throw new ErrorResponse(
        409,
        "key_reused",
        "A batch with other samples had this Idempotency-Key within the last 72 hours. Nothing was recorded. Use a new key " +
          "for every batch.",
      );
    case "too_large":
      throw new ErrorResponse(
        413,
        "batch_too_large",
        `The batch takes more than ${ingestLimits.storedBytesPerGroup} bytes of storage. Nothing was recorded. ` +
          "Split its samples over several batches.",
      );
    case "overloaded":
      throw unavailable(
        "overloaded",
        "The buffer is full. Nothing was recorded. Send the same batch again later.",
        RETRY_WHEN_FULL_SECONDS,
      );
  }
}

/** Warnings become reasons of the answer, which do not count as rejections. */
async function recordPoints(env: Env, batch: Batch): Promise<BatchResult> {
  const { service, cumulative = [], rejected, answer } = batch;
  const result = await bufferFor(env, service).recordPoints({ service, senders: cumulative, rejected });
  for (const [warning, points] of Object.entries(result.warnings)) {
    answer.reasons.push({ index: 0, reason: `${WARNINGS[warning] ?? warning} (${points})` });
  }
  return { status: result.status };
}

const WARNINGS: Partial<Record<string, string>> = {
  "second writer":
    "Two processes seem to send the same cumulative metrics, and only the newer one is counted. Give each its own service.instance.id.",
  "counts fell": "A cumulative count fell though its start time stayed. It is counted from here on.",
};

async function record(env: Env, batch: Batch): Promise<BatchResult> {
  try {
    return await (batch.cumulative === undefined ? recordTogether(env, batch) : recordPoints(env, batch));
  } catch (error) {
    throw unavailable(
      "buffer_unavailable",
      "The buffer did not answer, so the batch may or may not be recorded. Send the same batch again under the same key: " +
        "it counts once.",
      RETRY_WHEN_SILENT_SECONDS,
      error,
    );
  }
}
