/** What an error is called, whatever was thrown: an error of any realm, a string, nothing at all. */
import { FAILURE_MESSAGE_LENGTH, FAILURE_NAME_LENGTH } from "./limits.ts";

/** An error's name and message, with how often it was seen. */
export interface Failure {
  name: string;
  message: string;
  calls: number;
}

/** As it is seen for the first time, which is not counted yet. */
export function describeFailure(thrown: unknown): Failure {
  let name: unknown = typeof thrown;
  let message: unknown;
  try {
    if (Object(thrown) === thrown) ({ name, message } = thrown as Failure);
    else message = String(thrown);
  } catch {
    // A getter that throws must not replace the error that is on its way.
  }
  return {
    name: tidy(name, FAILURE_NAME_LENGTH, "Error"),
    message: tidy(message, FAILURE_MESSAGE_LENGTH),
    calls: 0,
  };
}

/**
 * The text as the server takes it, or another where that leaves nothing: trimmed, composed, no control characters, and
 * not too long. What is much too long is cut first, so that it costs no more than what is not.
 */
export function tidy(text: unknown, length: number, otherwise = ""): string {
  return (
    (typeof text === "string" ? text : "")
      .slice(0, length)
      .replace(/\p{Cc}+/gu, " ")
      .trim()
      .normalize()
      .slice(0, length) || otherwise
  );
}
