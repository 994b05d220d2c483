/** Answers requests that failed: unknown paths, unknown methods, and errors that handlers throw. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { logError } from "../log.ts";
import { ErrorResponse, toErrorResponse } from "./error-response.ts";
import type { HttpEnv } from "./route.ts";

export function answerUnknownPath(c: Context<HttpEnv>): Response {
  return sendVia(c, new ErrorResponse(404, "not_found", `There is nothing at ${c.req.path}.`).getResponse());
}

export function answerUnknownMethod(c: Context<HttpEnv>, methods: readonly string[]): Response {
  const allowed = methods.join(", ");
  const hint = c.req.path === "/" && c.req.method === "POST" ? " Post samples to /samples." : "";
  const message = `${c.req.path} takes ${allowed}, not ${c.req.method}.${hint}`;
  return sendVia(c, new ErrorResponse(405, "method_not_allowed", message, { Allow: allowed }).getResponse());
}

export function answerError(error: Error, c: Context<HttpEnv>): Response {
  if (error instanceof HTTPException && !(error instanceof ErrorResponse))
    return sendVia(c, error.getResponse());
  const requestId = c.get("requestId");
  const answer = toErrorResponse(error, requestId);
  const isExpected = error instanceof ErrorResponse || answer.status < 500;
  if (!isExpected) logError("request_failed", error, { requestId });
  return sendVia(c, answer.getResponse());
}

/** Adds the headers that middleware has set so far. */
function sendVia(c: Context<HttpEnv>, response: Response): Response {
  return c.newResponse(response.body, response);
}
