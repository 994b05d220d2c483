/** Describes anything that was thrown by a name and a message, as the server accepts them. */
import { FAILURE_MESSAGE_LENGTH, FAILURE_NAME_LENGTH } from "./limits.ts";

/** An error's name and message, and how often it was thrown. */
export interface Failure {
  name: string;
  message: string;
  calls: number;
}

/** The description starts with no calls. */
export function describeFailure(thrown: unknown): Failure {
  let name: unknown = typeof thrown;
  let message: unknown;
  try {
    if (Object(thrown) === thrown) ({ name, message } = thrown as Failure);
    else message = String(thrown);
  } catch {
    // A getter that throws must not replace the error that the caller is about to get.
  }
  return {
    name: tidy(name, FAILURE_NAME_LENGTH, "Error"),
    message: tidy(message, FAILURE_MESSAGE_LENGTH),
    calls: 0,
  };
}

/**
 * Trims and composes a text, removes control characters and limits its length; returns `fallback` if nothing is left. A
 * long text is cut first, so that it costs no more than a short one.
 */
export function tidy(text: unknown, length: number, fallback = ""): string {
  return (
    (typeof text === "string" ? text : "")
      .slice(0, length)
      .replace(/\p{Cc}+/gu, " ")
      .trim()
      .normalize()
      .slice(0, length) || fallback
  );
}
