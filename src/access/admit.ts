/** Checks a request's token and its rate. */
import { ErrorResponse } from "../http/error-response.ts";
import { authorise, type Grant } from "./authorise.ts";
import { logUnknownToken } from "./unknown-tokens.ts";
import type { Right } from "./tokens.ts";

/** The period in seconds over which `[[ratelimits]]` in wrangler.toml counts requests. */
const RATE_PERIOD_SECONDS = 10;

/**
 * Returns what the token permits, and counts the request against the token's rate. Requests with an unknown token count
 * against the rate of their address, so that nobody can try many tokens. A server that is open without tokens has no rate
 * limit.
 *
 * @param headers of the request, for its address
 * @param token undefined if the request has none
 * @throws {ErrorResponse} 401 for a missing or unknown token, 403 for a token without the right, 429 above the rate, 503 if
 *   no token has the right
 */
export async function admit(
  env: Env,
  right: Right,
  headers: Headers,
  token: string | undefined,
): Promise<Grant> {
  const rate = right === "ingest" ? env.INGEST_RATE : env.READ_RATE;
  let grant: Grant;
  try {
    grant = await authorise(env, right, token);
  } catch (error) {
    if (token !== undefined && error instanceof ErrorResponse && error.status === 401) {
      const address = headers.get("CF-Connecting-IP") ?? "unknown";
      logUnknownToken(right, address);
      await requireRate(
        rate,
        `address ${address}`,
        "Too many requests with unknown tokens came from this address.",
      );
    }
    throw error;
  }
  if (grant.id !== null) await requireRate(rate, grant.id, "This token sends too many requests.");
  return grant;
}

async function requireRate(rate: RateLimit, key: string, problem: string): Promise<void> {
  const { success } = await rate.limit({ key });
  if (success) return;
  throw new ErrorResponse(
    429,
    "too_many_requests",
    `${problem} Wait ${RATE_PERIOD_SECONDS} seconds, then send the same request again. ` +
      "Senders of metrics can sum their calls meanwhile.",
    { "Retry-After": String(RATE_PERIOD_SECONDS) },
  );
}
