/** Checks the bearer token and the rate limit before any route runs. */
import type { MiddlewareHandler } from "hono";
import { admit } from "./admit.ts";
import { bearerToken } from "./authorise.ts";

/** Not guarded here: ingest checks its token itself, and the API's description is public. */
const OPEN = ["POST /samples", "GET /openapi.json", "HEAD /openapi.json"];

/** Every other route is guarded, also one that somebody adds without thinking of access. */
export const guard: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const { method, path } = c.req;
  if (!OPEN.includes(`${method} ${path}`)) {
    const right = method === "GET" || method === "HEAD" ? "read" : "admin";
    await admit(c.env, right, bearerToken(c.req.raw.headers));
  }
  await next();
};
