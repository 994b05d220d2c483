/** Checks the bearer token and the rate limit before a route runs. */
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "../http/route.ts";
import { admit } from "./admit.ts";
import { bearerToken } from "./authorise.ts";
import type { Right } from "./tokens.ts";

/** Returns middleware that rejects a request if its token lacks the right. */
export const guard =
  (right: Right): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const { headers } = c.req.raw;
    await admit(c.env, right, headers, bearerToken(headers));
    await next();
  };
