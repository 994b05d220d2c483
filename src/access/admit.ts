/** Checks a request's token and its rate. */
import { ErrorResponse } from "../http/error-response.ts";
import { authorise, type Grant } from "./authorise.ts";
import type { Right } from "./tokens.ts";

/** The period in seconds over which `[[ratelimits]]` in wrangler.toml counts requests. */
const RATE_PERIOD_SECONDS = 10;

/**
 * Returns what the token permits, and counts the request against the token's rate. A server that is open without tokens
 * has no rate limit.
 *
 * @param token undefined if the request has none
 * @throws {ErrorResponse} 401 for a missing or unknown token, 429 above the rate, 503 if no token has the right
 */
export async function admit(env: Env, right: Right, token: string | undefined): Promise<Grant> {
  const grant = await authorise(env, right, token);
  if (grant.id === null) return grant;
  const rate = right === "ingest" ? env.INGEST_RATE : env.READ_RATE;
  const { success } = await rate.limit({ key: grant.id });
  if (!success) {
    throw new ErrorResponse(
      429,
      "too_many_requests",
      `This token sends too many requests. Wait ${RATE_PERIOD_SECONDS} seconds, then send the same request again. ` +
        "Senders of metrics can sum their calls meanwhile.",
      { "Retry-After": String(RATE_PERIOD_SECONDS) },
    );
  }
  return grant;
}
