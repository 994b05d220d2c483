/** What an error is called, whatever was thrown: an error of any realm, a string, nothing at all. */
import { FAILURE_MESSAGE_LENGTH, FAILURE_NAME_LENGTH } from "./limits.ts";

export interface Failure {
  name: string;
  message: string;
}

export function describeFailure(thrown: unknown): Failure {
  const isObject = Object(thrown) === thrown;
  let name, message: unknown;
  try {
    ({ name, message } = thrown as Failure);
  } catch {
    // It has no properties, or a getter that throws: neither must replace the error that is on its way.
  }
  return {
    name: tidy(name, isObject ? "Error" : typeof thrown, FAILURE_NAME_LENGTH),
    message: tidy(message, isObject ? "" : String(thrown), FAILURE_MESSAGE_LENGTH),
  };
}

/** The text, or another where there is none, as the server takes it: no control characters, and not too long. */
export function tidy(text: unknown, otherwise: string, length: number): string {
  return ((typeof text === "string" && text) || otherwise).replace(/\p{Cc}+/gu, " ").slice(0, length);
}
