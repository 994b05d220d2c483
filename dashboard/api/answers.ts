/** Turns an HTTP answer into its body, or into an error with the server's own sentence. */
import { deny } from "./session.ts";

/** An error answer. Its message is the server's own sentence. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Answer<Body> {
  ok: boolean;
  status: number;
  json(): Promise<Body>;
}

/**
 * With `mayDeny`, a refused token signs the reader out.
 *
 * @throws {ApiError} for an error answer
 */
export async function readAnswer<Body>(response: Answer<Body>, { mayDeny = true } = {}): Promise<Body> {
  if (response.ok) return response.json();
  const error = await readError(response);
  const isDenial = error.status === 401 || error.status === 403 || error.code === "no_tokens";
  if (isDenial && mayDeny) deny(error);
  throw error;
}

/** Whether the same request can succeed later. A 404, another refusal, or a query that takes too long stays the same. */
export function isPassing(error: Error): boolean {
  if (!(error instanceof ApiError)) return true;
  return error.status === 429 || (error.status >= 500 && error.code !== "timeout");
}

/** The form of our own errors, and that of the Prometheus query API. */
type ErrorBody = { error: { code: string; message: string } } | { error: string; errorType: string };

async function readError(response: Answer<unknown>): Promise<ApiError> {
  try {
    const body = (await response.json()) as ErrorBody;
    if ("errorType" in body) return new ApiError(response.status, body.errorType, body.error);
    return new ApiError(response.status, body.error.code, body.error.message);
  } catch {
    return new ApiError(response.status, "unreadable", `The server answered with status ${response.status}.`);
  }
}
