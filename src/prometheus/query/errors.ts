/** Answers failed requests in the form of the Prometheus HTTP API. */
import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import { ReportedError, type ErrorKind } from "../../errors.ts";
import { toErrorResponse } from "../../http/error-response.ts";
import type { HttpEnv } from "../../http/route.ts";
import { logError } from "../../log.ts";
import { PromqlError } from "../../promql/errors.ts";

/** 499 is what Prometheus answers if the client has gone. */
const STATUS: Record<PromqlError["kind"], number> = {
  bad_data: 400,
  execution: 422,
  timeout: 503,
  canceled: 499,
};

const TYPES: Partial<Record<ErrorKind, string>> = {
  invalid: "bad_data",
  unknown: "not_found",
  unavailable: "unavailable",
};

/** A parameter that is missing or wrong. */
export const badData = (reason: string): PromqlError => new PromqlError("bad_data", reason);

export const invalidParameter = (name: string, reason: string): PromqlError =>
  badData(`invalid parameter "${name}": ${reason}`);

export function answerError(error: Error, c: Context<HttpEnv>): Response {
  if (error instanceof PromqlError) return answer(c, STATUS[error.kind], error.kind, error.message);
  const known = toErrorResponse(error, c.get("requestId"));
  if (known.status === 500) logError("request_failed", error, { requestId: c.get("requestId") });
  for (const [name, value] of known.getResponse().headers) if (name !== "content-type") c.header(name, value);
  const type = error instanceof ReportedError ? TYPES[error.kind] : undefined;
  return answer(c, known.status, type ?? (known.status === 500 ? "internal" : known.code), known.message);
}

function answer(c: Context<HttpEnv>, status: number, errorType: string, error: string): Response {
  c.header("Content-Type", "application/json");
  return c.newResponse(JSON.stringify({ status: "error", errorType, error }), status as StatusCode);
}
