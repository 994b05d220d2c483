/** Validates one sample of `POST /samples`. */
import * as z from "zod";
import { MAX_DURATION_MS } from "../../stats/histogram.ts";
import { ingestLimits } from "../limits.ts";
import type { Sample } from "../sample.ts";
import { contradictionIn } from "./contradiction.ts";
import { count, failureText, milliseconds, mustBe, name } from "./fields.ts";
import { histogram } from "./histogram-field.ts";

const { functionLength, moduleLength, callsPerSample, failuresPerSample } = ingestLimits;

const functionFields = {
  function: name("function", functionLength),
  module: z
    .union([z.literal(""), name("module", moduleLength)], {
      error: mustBe(
        `module must be a string of at most ${moduleLength} characters, none of them a control character`,
      ),
    })
    .default(""),
  at: z.number({ error: mustBe("at must be a time in epoch milliseconds") }).optional(),
};

const failureFields = {
  name: failureText("An error's name", ingestLimits.failureNameLength).default("Error"),
  message: failureText("An error's message", ingestLimits.failureMessageLength).default(""),
};

/** One observed call. */
export const singleCall = z.object(
  {
    ...functionFields,
    durationMs: milliseconds("durationMs", MAX_DURATION_MS),
    error: z
      .object(failureFields, { error: mustBe("error must be an object with a name and a message") })
      .optional(),
  },
  { error: mustBe("A sample must be an object") },
);

/** A sender's own sum of many calls. */
export const sumOfCalls = z
  .object({
    ...functionFields,
    calls: count("calls", callsPerSample).min(1, { error: mustBe("calls must be at least 1") }),
    errors: count("errors", callsPerSample).default(0),
    unmeasured: count("unmeasured", callsPerSample).default(0),
    sumMs: milliseconds("sumMs", ingestLimits.sumMs).default(0),
    minMs: milliseconds("minMs", MAX_DURATION_MS).nullish(),
    maxMs: milliseconds("maxMs", MAX_DURATION_MS).nullish(),
    histogram: histogram.default({}),
    failures: z
      .array(
        z.object(
          { ...failureFields, calls: count("A failure's calls", callsPerSample) },
          { error: mustBe("A failure must be an object with a name, a message and calls") },
        ),
        { error: mustBe("failures must be an array") },
      )
      .refine((failures) => failures.length <= failuresPerSample, {
        error: `failures must hold at most ${failuresPerSample} different failures.`,
      })
      .default([]),
  })
  .superRefine((sum, context) => {
    const contradiction = contradictionIn(sum);
    if (contradiction !== undefined) context.addIssue(contradiction);
  });

/** Returns the sample, or a sentence that tells the sender what to correct. An object with `calls` is a sum. */
export function readSample(input: unknown): { sample: Sample } | { reason: string } {
  const isSum = typeof input === "object" && input !== null && "calls" in input;
  const result = (isSum ? sumOfCalls : singleCall).safeParse(input);
  return result.success ? { sample: result.data } : { reason: firstMessage(result.error) };
}

/** The message about the first problem. */
export function firstMessage(error: z.ZodError): string {
  return error.issues[0]!.message;
}
