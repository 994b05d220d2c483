/** `GET /`: the dashboard's page. Requests for its other files never reach the Worker. */
import type { MiddlewareHandler } from "hono";
import { answerUnknownMethod } from "./answer-error.ts";
import type { HttpEnv } from "./route.ts";

const METHODS = ["GET", "HEAD"];

/**
 * Answers methods other than GET and HEAD itself, because the asset server would answer them with an empty 405. A sender
 * whose URL lacks `/samples` needs a message.
 */
export const page: MiddlewareHandler<HttpEnv> = async (c, next) => {
  if (!METHODS.includes(c.req.method)) return answerUnknownMethod(c, METHODS);
  // Some local servers have no page.
  const { ASSETS } = c.env as Partial<Env>;
  if (ASSETS === undefined) return next();
  const file = await ASSETS.fetch(c.req.raw);
  return c.newResponse(file.body, file);
};
