/** Sends one request to a store and reads its answer. */
import { refusalOfAddress } from "../outgoing-address.ts";
import type { Answer, OutgoingRequest } from "./sink.ts";

const TIMEOUT_MS = 30_000;
/** So much of an answer is read, in UTF-16 code units. A list with a result for each row fits. */
const READ_LENGTH = 4_000_000;

/** The store gave no answer, so nobody knows whether it took the request. The message is for people. */
export class NoAnswerError extends Error {
  override name = "NoAnswerError";
}

/** The address may not be used. */
export class RefusedAddressError extends Error {
  override name = "RefusedAddressError";
}

/** @throws {NoAnswerError | RefusedAddressError} */
export async function request(
  { url, method = "POST", headers, body }: OutgoingRequest,
  isLocalServer: boolean,
): Promise<Answer> {
  const refusal = refusalOfAddress(url, isLocalServer);
  if (refusal !== undefined) throw new RefusedAddressError(refusal);
  const abort = new AbortController();
  // Not `AbortSignal.timeout`, whose timer would keep the object in memory after the answer.
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, { method, headers, body, redirect: "manual", signal: abort.signal });
    return { status: response.status, text: await readStart(response) };
  } catch (error) {
    const reason = abort.signal.aborted
      ? `No answer within ${TIMEOUT_MS / 1000} s.`
      : "The connection failed.";
    throw new NoAnswerError(reason, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return "";
  let text = "";
  while (text.length < READ_LENGTH) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader.cancel();
  return text;
}
