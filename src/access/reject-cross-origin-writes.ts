/** Rejects requests by which a web page of another origin would change data. */
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";
import { isAllowedOrigin } from "./allowed-origins.ts";

/** Does not list OPTIONS, because `cors` answers it earlier. */
const READING_METHODS = ["GET", "HEAD"];
/** Longest part of an origin that a message quotes, in UTF-16 code units. */
const SHOWN_LENGTH = 100;

/**
 * CORS alone does not prevent such requests, because browsers send beacons and forms to any server without a preflight
 * request. A local server without tokens would accept them from every page that is open in the developer's browser.
 */
export const rejectCrossOriginWrites: MiddlewareHandler<{ Bindings: Env }> = async (c, next) => {
  const origin = c.req.header("Origin");
  const isSameOrigin = origin === undefined || origin === new URL(c.req.url).origin;
  const isRead = READING_METHODS.includes(c.req.method);
  if (!isSameOrigin && !isRead && !isAllowedOrigin(c.env, origin)) {
    throw new ErrorResponse(
      403,
      "origin_not_allowed",
      `Web pages of the origin ${JSON.stringify(origin.slice(0, SHOWN_LENGTH))} may not send requests that change data. ` +
        "To allow them, add the origin to CORS_ORIGINS under [vars] in wrangler.toml.",
    );
  }
  await next();
};
