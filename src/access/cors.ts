/** Which web pages may speak to the Worker: those of the origins in CORS_ORIGINS, and none by default. */
import { cors as honoCors } from "hono/cors";
import type { MiddlewareHandler } from "hono";

export const cors: MiddlewareHandler<{ Bindings: Env }> = honoCors({
  origin: (origin, c) => {
    const allowed = (c.env as Env).CORS_ORIGINS.split(",").map((entry) => entry.trim());
    return allowed.includes(origin) ? origin : null;
  },
  allowMethods: ["GET", "HEAD", "POST", "DELETE"],
  allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"],
  exposeHeaders: ["Retry-After", "X-Request-Id"],
  maxAge: 86_400,
});
