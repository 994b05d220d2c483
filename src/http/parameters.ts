/** What readers may ask for, each parameter with the sentence that says what it may be. */
import * as z from "zod";
import { limits } from "../limits.ts";

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const MAX_EPOCH_MS = 253_402_300_799_999; // The last millisecond of the year 9999.

const TIME =
  "a time: ISO 8601 such as 2026-11-24T09:30:00Z, epoch milliseconds, or relative to now such as -24h (s, m, h, d, w)";

/** Epoch milliseconds. */
export const Time = z
  .string({ error: TIME })
  .transform((text, context): number => {
    const time = readTime(text, Date.now());
    if (time !== undefined) return time;
    context.addIssue(TIME);
    return z.NEVER;
  })
  .meta({
    description: `${capitalised(TIME)}.`,
    examples: ["-24h", "2026-11-24T09:30:00Z", "1795512600000"],
  });

const STEP = "a whole number of minutes, such as 5m, 1h, 1d or 300 (seconds)";

/** Seconds. */
export const Step = z
  .string({ error: STEP })
  .transform((text, context): number => {
    const [, number, unit = "s"] = /^(\d{1,9})([smhdw])?$/.exec(text) ?? [];
    const seconds = Number(number) * SECONDS[unit as keyof typeof SECONDS];
    if (seconds > 0 && seconds % 60 === 0) return seconds;
    context.addIssue(STEP);
    return z.NEVER;
  })
  .meta({ description: `${capitalised(STEP)}.`, examples: ["5m"] });

/** Of an empty string as well, which is no number here. */
export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z
    .string({ error })
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(z.int({ error }).min(min, { error }).max(max, { error }))
    .meta({ type: "integer", minimum: min, maximum: max });
}

/** One of some words. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `one of ${words.join(", ")}` });
}

const words = `1 to ${limits.queryLength} characters`;

/** What a person types. All of it is data: nothing in it is syntax. */
export const Words = z
  .string({ error: words })
  .trim()
  .min(1, { error: words })
  .max(limits.queryLength, { error: words })
  .meta({ examples: ["card"] });

export const ModuleName = z.string().meta({
  description:
    "The module, empty for functions without one. Left out, functions of this name in all modules are taken together.",
});

/** A range of time. Where only `from` is given, it reaches until now. */
export const RangeParameters = z.strictObject({
  from: Time.optional(),
  to: Time.optional(),
});

/** Undefined where the text is no time. */
export function readTime(text: string, now: number): number | undefined {
  const [, number, unit] = /^-(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const time = unit
    ? now - Number(number) * SECONDS[unit as keyof typeof SECONDS] * 1000
    : text === "now"
      ? now
      : /^\d{1,15}$/.test(text)
        ? Number(text)
        : /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/.test(text)
          ? Date.parse(text)
          : Number.NaN;
  return time >= 0 && time <= MAX_EPOCH_MS ? time : undefined;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
