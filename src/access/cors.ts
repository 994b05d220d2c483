/** Adds CORS headers, so that web pages of the origins in `CORS_ORIGINS` may read answers. */
import type { MiddlewareHandler } from "hono";
import { cors as honoCors } from "hono/cors";
import { isAllowedOrigin } from "./allowed-origins.ts";

export const cors: MiddlewareHandler<{ Bindings: Env }> = honoCors({
  origin: (origin, c) => (isAllowedOrigin(c.env as Env, origin) ? origin : null),
  allowMethods: ["GET", "HEAD", "POST", "DELETE"],
  allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"],
  exposeHeaders: ["Date", "Retry-After", "X-Request-Id"],
  maxAge: 86_400,
});
