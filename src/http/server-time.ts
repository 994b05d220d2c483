/** Sets the header `Date` on every answer, so that readers can tell the server's time from their own clock. */
import type { MiddlewareHandler } from "hono";

/** WARNING: mount it before all other middleware. Some middleware answers itself, and its answers need the header too. */
export const serverTime: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Date", new Date().toUTCString());
};
