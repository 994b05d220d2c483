/** Which web pages may speak to the Worker: its own, those of the origins in CORS_ORIGINS, and no others. */
import { cors as honoCors } from "hono/cors";
import type { MiddlewareHandler } from "hono";
import { ErrorResponse } from "../http/error-response.ts";

type Middleware = MiddlewareHandler<{ Bindings: Env }>;

const CHANGES_NOTHING = ["GET", "HEAD", "OPTIONS"];

/** Tells browsers, which alone send an origin. */
export const cors: Middleware = async (c, next) => {
  if (c.req.header("Origin") !== undefined || c.req.method === "OPTIONS") return tellBrowser(c, next);
  c.header("Vary", "Origin");
  await next();
};

const tellBrowser: Middleware = honoCors({
  origin: (origin, c) => (isListed(c.env as Env, origin) ? origin : null),
  allowMethods: ["GET", "HEAD", "POST", "DELETE"],
  allowHeaders: ["Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key"],
  exposeHeaders: ["Retry-After", "X-Request-Id"],
  maxAge: 86_400,
});

/**
 * Refuses what a page of another origin sends: of a beacon or a form, browsers ask nobody before they send it, and a
 * server that is open to its own machine would take it from any page that is looked at there.
 */
export const rejectCrossOriginWrites: Middleware = async (c, next) => {
  const origin = c.req.header("Origin");
  const isOwn = origin === undefined || origin === new URL(c.req.url).origin;
  if (!isOwn && !CHANGES_NOTHING.includes(c.req.method) && !isListed(c.env, origin)) {
    const shown = JSON.stringify(origin.slice(0, 100));
    throw new ErrorResponse(
      403,
      "origin_not_allowed",
      `Pages of the origin ${shown} may not send here. If they should, add it to CORS_ORIGINS, under [vars] in wrangler.toml.`,
    );
  }
  await next();
};

/** None where the setting is missing. */
function isListed({ CORS_ORIGINS = "" }: Partial<Pick<Env, "CORS_ORIGINS">>, origin: string): boolean {
  return CORS_ORIGINS.split(",").some((entry) => entry.trim() === origin && origin !== "");
}
