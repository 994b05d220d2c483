/**
 * Ingests one request of any format: reads the body, checks the token, decodes, sums, and commits the batches to the buffer.
 * The caller writes the answer.
 */
import { admit } from "../access/admit.ts";
import { bearerToken, type Grant } from "../access/authorise.ts";
import { isOpen } from "../access/tokens.ts";
import { readConfiguration, readForgetAfterMs } from "../configuration.ts";
import { ErrorResponse } from "../http/error-response.ts";
import type { Batch } from "./batch.ts";
import { releaseBody } from "./body-memory.ts";
import { commitBatches, type Outcome } from "./commit.ts";
import type { Decoder } from "./decoder.ts";
import { readBody } from "./read-body.ts";

/**
 * Returns one outcome for each batch, in the decoder's order, once all of them are durable. A batch with a key counts
 * once, however often it is delivered. A batch without a key counts at every delivery.
 *
 * @throws {ErrorResponse} if any batch was not recorded. Others may have been: the sender can repeat the whole request if
 *   its batches have keys.
 * @throws {ConfigurationError}
 */
export async function ingest(request: Request, env: Env, decoder: Decoder): Promise<Outcome[]> {
  readConfiguration(env);
  readForgetAfterMs(env);
  return commitBatches(env, await readBatches(request, env, decoder));
}

/** A function of its own, so that the decoded samples can be freed while the batches wait for the buffer. */
async function readBatches(request: Request, env: Env, decoder: Decoder): Promise<Batch[]> {
  const { headers } = request;
  const token = bearerToken(headers);
  const isTokenInBody = token === undefined && !isOpen(env) && decoder.mayHaveTokenInBody?.(headers) === true;
  const grant = isTokenInBody ? undefined : await admit(env, "ingest", headers, token);
  const bytes = await readBody(request, { ...decoder.body, ...(isTokenInBody ? decoder.bodyWithToken : {}) });
  try {
    const decoded = await decoder.decode(bytes, headers);
    const { services } = grant ?? (await admit(env, "ingest", headers, decoded.token));
    for (const { service } of decoded.parts) requireService(services, service);
    const now = Date.now();
    return decoded.parts.flatMap(({ service, sum }) => sum(now).map((batch) => ({ service, ...batch })));
  } finally {
    releaseBody(bytes);
  }
}

function requireService(allowed: Grant["services"], service: string): void {
  if (allowed === null || allowed.has(service)) return;
  throw new ErrorResponse(
    403,
    "wrong_service",
    `This token may post samples of ${JSON.stringify([...allowed])} only, not of the service ` +
      `${JSON.stringify(service)}. Use a token for this service, or post under another service.`,
  );
}
