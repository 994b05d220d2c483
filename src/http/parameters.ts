/** Schemas of query parameters. Each error completes the sentence "It must be …". */
import * as z from "zod";
import { normaliseName } from "../stats/series-id.ts";
import { parseDuration, parseTime } from "./parse-time.ts";

const TIME =
  "a time: ISO 8601 such as 2026-11-24T09:30:00Z, epoch milliseconds, or relative to now such as -24h (s, m, h, d, w)";
/** The longest step: a year. */
const MAX_STEP_SECONDS = 366 * 86_400;

/** Epoch milliseconds. */
export const Time = z
  .string({ error: TIME })
  .transform((text, context): number => {
    const time = parseTime(text, Date.now());
    if (typeof time === "number") return time;
    context.addIssue(
      time === "epoch seconds" ? `in epoch milliseconds, such as ${text}000, not in seconds` : TIME,
    );
    return z.NEVER;
  })
  .meta({
    description: `${capitalised(TIME)}.`,
    examples: ["-24h", "2026-11-24T09:30:00Z", "1795512600000"],
  });

const STEP = "a whole number of minutes up to a year, such as 5m, 1h, 1d or 300 (seconds)";

/** Seconds. */
export const Step = z
  .string({ error: STEP })
  .transform((text, context): number => {
    const seconds = parseDuration(/^\d+$/.test(text) ? `${text}s` : text);
    if (seconds !== undefined && seconds > 0 && seconds % 60 === 0 && seconds <= MAX_STEP_SECONDS)
      return seconds;
    context.addIssue(STEP);
    return z.NEVER;
  })
  .meta({ description: `${capitalised(STEP)}.`, examples: ["5m"] });

/** A whole number in decimal digits. An empty string is not a number here. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }))
    .meta({ type: "integer", minimum: min, maximum: max });
}

/** One of the given words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(", ")}` });
}

/** Characters in a search text, at most. */
export const MAX_QUERY_LENGTH = 200;
const words = `1 to ${MAX_QUERY_LENGTH} characters`;

/** A search text. No character in it is syntax. */
export const Words = z
  .string({ error: words })
  .trim()
  .min(1, { error: words })
  .max(MAX_QUERY_LENGTH, { error: words })
  .meta({ examples: ["card"] });

/** The name of a service, in the form in which it is stored. */
export const ServiceName = z.string().overwrite(normaliseName);

/** The name of a function, in the form in which it is stored. */
export const FunctionName = z.string().overwrite(normaliseName);

export const ModuleName = z.string().overwrite(normaliseName).meta({
  description:
    "The module. Empty for functions without one. If left out, functions of this name in all modules are added up.",
});

/** A range of time. It reaches until now if `to` is left out. */
export const RangeParameters = z.strictObject({
  from: Time.optional(),
  to: Time.optional(),
});

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
