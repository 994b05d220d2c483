/**
 * Turns error answers of the OTLP paths into what OTLP's senders understand: a `google.rpc.Status` in the encoding of the
 * request. It runs around everything else, so that it also covers errors of other middleware.
 */
import type { MiddlewareHandler } from "hono";
import { answerType, statusBody } from "./answer.ts";

/** Codes of gRPC by HTTP status. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
const INVALID_ARGUMENT = 3;
const INTERNAL = 13;
const CODES: Partial<Record<number, number>> = {
  401: 16,
  403: 7,
  404: 5,
  405: 12,
  413: 8,
  503: 14,
};
/** Some senders drop a batch that may not be sent again within five seconds. */
const LONGEST_RETRY_SECONDS = 5;

export const answerErrorsInOtlp: MiddlewareHandler = async (c, next) => {
  await next();
  const answer = c.res;
  if (answer.status < 400) return;
  const { headers } = c.req.raw;
  const status = statusOf(answer.status);
  const code = CODES[status] ?? (status < 500 ? INVALID_ARGUMENT : INTERNAL);
  const changed = new Headers(answer.headers);
  changed.set("Content-Type", answerType(headers));
  changed.delete("Content-Length");
  if (status === 503) changed.set("Retry-After", String(retrySeconds(answer.headers)));
  c.res = undefined;
  c.res = new Response(statusBody(headers, code, await messageOf(answer)), { status, headers: changed });
};

/** Overload is always 503: older senders in Python do not repeat a batch after 429. */
function statusOf(status: number): number {
  return status === 429 ? 503 : status;
}

function retrySeconds(headers: Headers): number {
  const asked = Number(headers.get("Retry-After") ?? 1);
  return Math.min(LONGEST_RETRY_SECONDS, Math.max(1, asked || 1));
}

async function messageOf(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return text;
  }
}
