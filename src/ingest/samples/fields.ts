/** Schemas for the kinds of fields in samples. Each error message names the field, its allowed values and its value. */
import * as z from "zod";
import { normaliseName } from "../../stats/series-id.ts";
import { isName, printable } from "../sample-text.ts";

/** Longest part of a value that a message quotes, in UTF-16 code units. */
const SHOWN_LENGTH = 60;

/** Describes a value in a few characters. */
export function shown(input: unknown): string {
  if (typeof input === "object" && input !== null) return Array.isArray(input) ? "an array" : "an object";
  // Numbers such as 1e400, which JSON allows. `JSON.stringify` would show them as null.
  if (input === Infinity || input === -Infinity) return `${input < 0 ? "below -" : "above "}1.7e308`;
  const text = JSON.stringify(input);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}

/** Makes an error message from the allowed values and the value. */
export function mustBe(allowed: string): (issue: { input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `${allowed}; it is missing.` : `${allowed}; it is ${shown(input)}.`;
}

/**
 * A name in normal form.
 *
 * WARNING: use no `min` or `max` of zod on strings or arrays. They read the `length` of any value, and throw on an object
 * whose `length` is hostile.
 */
export function name(field: string, maxLength: number) {
  const error = mustBe(
    `${field} must be a string of 1 to ${maxLength} characters, none of them a control character`,
  );
  return z
    .string({ error })
    .overwrite(normaliseName)
    .refine((text) => isName(text, maxLength), { error })
    .meta({ minLength: 1, maxLength });
}

/** A whole number. */
export function count(field: string, max: number) {
  const error = mustBe(`${field} must be a whole number from 0 to ${max}`);
  return z.int({ error }).min(0, { error }).max(max, { error });
}

/** A duration. */
export function milliseconds(field: string, max: number) {
  const error = mustBe(`${field} must be a number of milliseconds from 0 to ${max}`);
  return z.number({ error }).min(0, { error }).max(max, { error });
}

/** A text of a failure. It is truncated, never rejected for its length. */
export function failureText(field: string, maxLength: number) {
  return z
    .string({ error: mustBe(`${field} must be a string`) })
    .overwrite((text) => printable(text, maxLength));
}

/** A field that may be left out. Null counts as left out, because many JSON libraries write it for a missing value. */
export function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A field that has a default value if it is left out or null. */
export function withDefault<Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>) {
  return schema
    .nullable()
    .default(value as never)
    .transform((given): z.output<Schema> => given ?? value);
}
