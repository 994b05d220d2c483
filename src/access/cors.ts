/** Adds CORS headers, so that web pages of the origins in `CORS_ORIGINS` may read answers. */
import type { MiddlewareHandler } from "hono";
import { cors as honoCors } from "hono/cors";
import { isAllowedOrigin } from "./allowed-origins.ts";

type Middleware = MiddlewareHandler<{ Bindings: Env }>;

/** Skips hono's middleware for requests that no browser sent across origins, which is nearly all of them. */
export const cors: Middleware = async (c, next) => {
  if (c.req.header("Origin") !== undefined || c.req.method === "OPTIONS") return addHeaders(c, next);
  // A cache must not give this answer, which has no CORS headers, to a page of another origin.
  c.header("Vary", "Origin");
  await next();
};

const addHeaders: Middleware = honoCors({
  origin: (origin, c) => (isAllowedOrigin(c.env as Env, origin) ? origin : null),
  allowMethods: ["GET", "HEAD", "POST", "DELETE"],
  allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"],
  exposeHeaders: ["Retry-After", "X-Request-Id"],
  maxAge: 86_400,
});
