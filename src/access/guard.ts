/** Lets in only who belongs: a token with the right, at a bearable rate. */
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";
import { authorise, bearerToken, type Grant, type Right } from "./tokens.ts";

/** The seconds over which wrangler.toml counts requests. */
const RATE_PERIOD_SECONDS = 10;

/** Open to all: what says nothing of anybody's functions, and what asks for its token itself. */
const OPEN = ["POST /samples", "GET /openapi.json", "HEAD /openapi.json"];

/** In front of every route, so that a new one is closed until somebody opens it. */
export const guard: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { method, path } = c.req;
  if (!OPEN.includes(`${method} ${path}`)) {
    await admit(
      c.env,
      method === "GET" || method === "HEAD" ? "read" : "administer",
      bearerToken(c.req.raw.headers),
    );
  }
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
