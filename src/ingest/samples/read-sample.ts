/** Validates one sample of `POST /samples`. */
import * as z from "zod";
import { MAX_DURATION_MS } from "../../stats/histogram.ts";
import { OVERFLOW } from "../../stats/overflow.ts";
import { ingestLimits } from "../limits.ts";
import type { Sample } from "../sample.ts";
import { contradictionIn } from "./contradiction.ts";
import { count, failureText, milliseconds, mustBe, name, optional, withDefault } from "./fields.ts";
import { histogram } from "./histogram-field.ts";
import { time } from "./time-field.ts";

const { functionLength, moduleLength, callsPerSample, failuresPerSample } = ingestLimits;

const functionFields = {
  function: name("function", functionLength),
  module: withDefault(
    z.union([z.literal(""), name("module", moduleLength)], {
      error: mustBe(
        `module must be a string of at most ${moduleLength} characters, none of them a control character`,
      ),
    }),
    "",
  ),
  at: optional(time),
};

const message = failureText("An error's message", ingestLimits.failureMessageLength);
const failureFields = {
  name: withDefault(failureText("An error's name", ingestLimits.failureNameLength), "Error"),
  message: withDefault(message, ""),
};

/** An error with its name and message, or its message alone. */
const error = z.union(
  [
    z.object(failureFields),
    message.refine((text) => text !== "").transform((text) => ({ name: "Error", message: text })),
  ],
  {
    error: ({ input, errors }) =>
      typeof input === "object" && !Array.isArray(input)
        ? (errors as z.core.$ZodIssue[][])[0]![0]!.message
        : mustBe("error must be an object with a name and a message, or a message")({ input }),
  },
);

/** One observed call. */
export const singleCall = z
  .object(
    {
      ...functionFields,
      durationMs: milliseconds("durationMs", MAX_DURATION_MS),
      error: optional(error),
    },
    { error: mustBe("A sample must be an object") },
  )
  .refine(({ function: name, module }) => name !== OVERFLOW || module !== "", {
    error: `function must not be ${OVERFLOW} without a module: calls of functions above a limit are added up under this name. Give the function a module.`,
  });

/** A sender's own sum of many calls. */
export const sumOfCalls = z
  .object({
    ...functionFields,
    calls: count("calls", callsPerSample).min(1, { error: mustBe("calls must be at least 1") }),
    errors: withDefault(count("errors", callsPerSample), 0),
    unmeasured: withDefault(count("unmeasured", callsPerSample), 0),
    sumMs: withDefault(milliseconds("sumMs", ingestLimits.sumMs), 0),
    minMs: milliseconds("minMs", MAX_DURATION_MS).nullish(),
    maxMs: milliseconds("maxMs", MAX_DURATION_MS).nullish(),
    histogram: withDefault(histogram, {}),
    failures: withDefault(
      z
        .array(
          z.object(
            { ...failureFields, calls: count("A failure's calls", callsPerSample) },
            { error: mustBe("A failure must be an object with a name, a message and calls") },
          ),
          { error: mustBe("failures must be an array") },
        )
        .refine((failures) => failures.length <= failuresPerSample, {
          error: `failures must hold at most ${failuresPerSample} different failures.`,
        }),
      [],
    ),
  })
  .superRefine((sum, context) => {
    const contradiction = contradictionIn(sum);
    if (contradiction !== undefined) context.addIssue(contradiction);
  });

/** Returns the sample, or a sentence that tells the sender what to correct. An object with `calls` is a sum. */
export function readSample(input: unknown): { sample: Sample } | { reason: string } {
  const isSum = typeof input === "object" && input !== null && "calls" in input && input.calls !== null;
  const result = (isSum ? sumOfCalls : singleCall).safeParse(input);
  return result.success ? { sample: result.data } : { reason: firstMessage(result.error) };
}

/** The message about the first problem. */
export function firstMessage(error: z.ZodError): string {
  return error.issues[0]!.message;
}
