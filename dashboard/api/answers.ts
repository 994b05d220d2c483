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

/** Whether the same request can succeed later. A 404 or another refusal stays the same. */
export function isPassing(error: Error): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429;
}

async function readError(response: Answer<unknown>): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    return new ApiError(response.status, error.code, error.message);
  } catch {
    return new ApiError(response.status, "unreadable", `The server answered with status ${response.status}.`);
  }
}
