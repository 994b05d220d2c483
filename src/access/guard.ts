/** Checks the bearer token and the rate limit before a route runs. */
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";
import type { HttpEnv } from "../http/route.ts";
import { authorise, bearerToken, type Grant, type Right } from "./tokens.ts";

/** The seconds over which wrangler.toml counts requests. */
const RATE_PERIOD_SECONDS = 10;

/** Gives the middleware that lets only tokens with the right pass. */
export const guard =
  (right: Right): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    await admit(c.env, right, bearerToken(c.req.raw.headers));
    await next();
  };

/** @throws {ErrorResponse} 401, 429 or 503 */
export async function admit(env: Env, right: Right, token: string | undefined): Promise<Grant> {
  const grant = await authorise(env, right, token);
  if (grant.id === null) return grant;
  const rate = right === "ingest" ? env.INGEST_RATE : env.READ_RATE;
  const { success } = await rate.limit({ key: grant.id });
  if (!success) {
    throw new ErrorResponse(
      429,
      "too_many_requests",
      "This token sends more requests than it may. Send the same again later; metrics may be summed meanwhile.",
      { "Retry-After": String(RATE_PERIOD_SECONDS) },
    );
  }
  return grant;
}
