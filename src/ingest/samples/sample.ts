/**
 * What comes in over the wire: a batch of samples, each one observed call or a client's own sum of many calls
 * of one function in one minute.
 */
import * as z from "zod";
import { limits } from "../../limits.ts";
import type { Delta } from "../../stats/delta.ts";
import {
  bucketIndex,
  type Histogram,
  MAX_BUCKET,
  MAX_DURATION_MS,
  MIN_BUCKET,
  MIN_DURATION_MS,
  toBuckets,
} from "../../stats/histogram.ts";

/** A part of what was sent, short enough for a sentence. */
function shown(input: unknown): string {
  if (typeof input === "object" && input !== null) return Array.isArray(input) ? "an array" : "an object";
  const text = JSON.stringify(input) ?? String(input);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A message that names the field, what it must be, and what it is. */
const mustBe =
  (what: string) =>
  (issue: { input?: unknown }): string =>
    issue.input === undefined ? `${what}; it is missing.` : `${what}; it is ${shown(issue.input)}.`;

/**
 * Trimmed and in Unicode's composed form, so that one name is one function however it was typed.
 *
 * WARNING: no `min` or `max` of zod here or on arrays: those look at the `length` of anything, and throw on an object
 * whose `length` is hostile.
 */
const name = (field: string, maxLength: number) => {
  const error = mustBe(
    `${field} must be a string of 1 to ${maxLength} characters, none of them a control character`,
  );
  return z
    .string({ error })
    .overwrite(normalised)
    .refine((text) => text.length >= 1 && text.length <= maxLength && !/\p{Cc}/u.test(text), { error })
    .meta({ minLength: 1, maxLength });
};

const count = (field: string, max: number) => {
  const error = mustBe(`${field} must be a whole number from 0 to ${max}`);
  return z.int({ error }).min(0, { error }).max(max, { error });
};

const milliseconds = (field: string, max: number) => {
  const error = mustBe(`${field} must be a number of milliseconds from 0 to ${max}`);
  return z.number({ error }).min(0, { error }).max(max, { error });
};

const failureText = (field: string, maxLength: number) =>
  z.string({ error: mustBe(`${field} must be a string`) }).overwrite((text) => printable(text, maxLength));

const failureName = failureText("An error's name", limits.failureNameLength);
const failureMessage = failureText("An error's message", limits.failureMessageLength);

const identity = {
  function: name("function", limits.functionLength),
  module: z
    .union([z.literal(""), name("module", limits.moduleLength)], {
      error: mustBe(
        `module must be a string of at most ${limits.moduleLength} characters, none of them a control character`,
      ),
    })
    .default(""),
  at: z.number({ error: mustBe("at must be a time in epoch milliseconds") }).optional(),
};

export const singleCall = z.object(
  {
    ...identity,
    durationMs: milliseconds("durationMs", MAX_DURATION_MS),
    error: z
      .object(
        { name: failureName.default("Error"), message: failureMessage.default("") },
        {
          error: mustBe("error must be an object with a name and a message"),
        },
      )
      .optional(),
  },
  { error: mustBe("A sample must be an object") },
);

const histogram = z
  .record(z.string(), z.unknown(), { error: mustBe("histogram must be an object of counts by bucket index") })
  .meta({ maxProperties: limits.histogramEntries })
  .transform((entries, context): Histogram => {
    const counts: Histogram = {};
    for (const key in entries) {
      const index = Number(key);
      const calls = entries[key];
      if (String(index) !== key || !Number.isInteger(index) || index < MIN_BUCKET || index > MAX_BUCKET) {
        context.addIssue(
          `histogram has the bucket ${shown(key)}, which is no whole number from ${MIN_BUCKET} to ${MAX_BUCKET}.`,
        );
        return z.NEVER;
      }
      if (
        typeof calls !== "number" ||
        !Number.isInteger(calls) ||
        calls < 1 ||
        calls > limits.callsPerSample
      ) {
        context.addIssue(
          `histogram counts ${shown(calls)} calls in bucket ${key}, which is no whole number of at least 1.`,
        );
        return z.NEVER;
      }
      counts[index] = calls;
    }
    return counts;
  });

export const sumOfCalls = z
  .object({
    ...identity,
    calls: count("calls", limits.callsPerSample).min(1, { error: mustBe("calls must be at least 1") }),
    errors: count("errors", limits.callsPerSample).default(0),
    unmeasured: count("unmeasured", limits.callsPerSample).default(0),
    sumMs: milliseconds("sumMs", limits.sumMs).default(0),
    minMs: milliseconds("minMs", MAX_DURATION_MS).nullish(),
    maxMs: milliseconds("maxMs", MAX_DURATION_MS).nullish(),
    histogram: histogram.default({}),
    failures: z
      .array(
        z.object(
          {
            name: failureName.default("Error"),
            message: failureMessage.default(""),
            calls: count("A failure's calls", limits.callsPerSample),
          },
          { error: mustBe("A failure must be an object with a name, a message and calls") },
        ),
        { error: mustBe("failures must be an array") },
      )
      .refine((failures) => failures.length <= limits.failuresPerSample, {
        error: `failures must hold at most ${limits.failuresPerSample} different ones.`,
      })
      .default([]),
  })
  .superRefine((sum, context) => {
    const contradiction = contradictionIn(sum);
    if (contradiction) context.addIssue(contradiction);
  });

export type SingleCall = z.infer<typeof singleCall>;
export type SumOfCalls = z.infer<typeof sumOfCalls>;
export type Sample = SingleCall | SumOfCalls;

/** The envelope of a POST. Its samples are looked at one by one: a bad one must not cost the others. */
export const Batch = z.object(
  {
    service: name("service", limits.serviceLength),
    /** Not `z.array(z.unknown())`, which copies it, one by one. */
    samples: z.custom<unknown[]>(Array.isArray, { error: mustBe("samples must be an array") }),
    /** Where a header cannot be set, as in a beacon. */
    idempotencyKey: z.string({ error: mustBe("idempotencyKey must be a string") }).optional(),
    token: z.string({ error: () => "token must be a string." }).optional(),
  },
  { error: mustBe("The body must be a JSON object with a service and samples") },
);
export type Batch = z.infer<typeof Batch>;

/** A sample, or the reason why it is none: a sentence that a person can act on. */
export function readSample(input: unknown): { sample: Sample } | { reason: string } {
  const isSum = typeof input === "object" && input !== null && "calls" in input;
  const result = (isSum ? sumOfCalls : singleCall).safeParse(input);
  return result.success ? { sample: result.data } : { reason: firstMessage(result.error) };
}

/** The sentence of the first thing wrong. */
export function firstMessage(error: z.ZodError): string {
  return error.issues[0]?.message ?? "It is not valid.";
}

/** The delta that a sample stands for, or why it is too late; ahead of the clock counts as now. */
export function toDelta(service: string, sample: Sample, now: number): { delta: Delta } | { reason: string } {
  const at = Math.min(Math.floor(sample.at ?? now), now);
  if (at < now - limits.sampleAgeMs) {
    const hours = limits.sampleAgeMs / 3_600_000;
    return { reason: `at is ${shown(sample.at)}, more than ${hours} hours ago: too late to be counted.` };
  }
  return {
    delta: {
      service,
      module: sample.module,
      function: sample.function,
      minute: Math.floor(at / 60_000) * 60,
      firstSeen: at,
      lastSeen: at,
      ...("calls" in sample ? sumsOf(sample) : sumsOfOne(sample)),
    },
  };
}

/**
 * Adds one more plain call (no error, nothing but a duration and maybe a time) to the delta of an earlier sample of the
 * same names, which were looked at then. False, with the delta untouched, where it is not as plain, not valid, or of
 * another minute: then it is to be read as any other. Most of a large batch is of this kind, and this is what makes it
 * cheap.
 */
export function addPlainCall(delta: Delta, call: PlainCall, now: number): boolean {
  const { durationMs, at = now, error } = call;
  if (error !== undefined || "calls" in call) return false;
  if (typeof durationMs !== "number" || !(durationMs >= 0 && durationMs <= MAX_DURATION_MS)) return false;
  if (typeof at !== "number" || !Number.isFinite(at)) return false;
  const time = Math.min(Math.floor(at), now);
  const isOfMinute = time >= delta.minute * 1000 && time < (delta.minute + 60) * 1000;
  if (!isOfMinute || time < now - limits.sampleAgeMs) return false;
  delta.calls++;
  delta.sumUs += wholeMicroseconds(durationMs);
  if (time < delta.firstSeen) delta.firstSeen = time;
  if (time > delta.lastSeen) delta.lastSeen = time;
  const measuredMs = wholeNanoseconds(durationMs);
  if (measuredMs > 0) {
    delta.buckets.push(bucketIndex(measuredMs), 1);
    if (delta.minMs === null || measuredMs < delta.minMs) delta.minMs = measuredMs;
    if (delta.maxMs === null || measuredMs > delta.maxMs) delta.maxMs = measuredMs;
  } else {
    delta.unmeasured++;
  }
  return true;
}

/** What may be a sample, of which only the names are known to be those of an earlier one. */
export interface PlainCall {
  durationMs?: unknown;
  at?: unknown;
  error?: unknown;
}

type Sums = Pick<
  Delta,
  "calls" | "errors" | "unmeasured" | "sumUs" | "minMs" | "maxMs" | "buckets" | "failures"
>;

function sumsOfOne({ durationMs, error }: SingleCall): Sums {
  const measuredMs = wholeNanoseconds(durationMs);
  const measured = measuredMs > 0;
  return {
    calls: 1,
    errors: error ? 1 : 0,
    unmeasured: measured ? 0 : 1,
    sumUs: wholeMicroseconds(durationMs),
    minMs: measured ? measuredMs : null,
    maxMs: measured ? measuredMs : null,
    buckets: measured ? [bucketIndex(measuredMs), 1] : [],
    failures: error ? [{ name: error.name, message: error.message, calls: 1 }] : [],
  };
}

function sumsOf(sum: SumOfCalls): Sums {
  const measured = sum.calls > sum.unmeasured;
  return {
    calls: sum.calls,
    errors: sum.errors,
    unmeasured: sum.unmeasured,
    sumUs: wholeMicroseconds(sum.sumMs),
    minMs: measured ? Math.max(MIN_DURATION_MS, wholeNanoseconds(sum.minMs!)) : null,
    maxMs: measured ? Math.max(MIN_DURATION_MS, wholeNanoseconds(sum.maxMs!)) : null,
    buckets: toBuckets(sum.histogram),
    failures: sum.failures.filter((failure) => failure.calls > 0),
  };
}

/** What a sum says against itself, or nothing. */
function contradictionIn(sum: SumOfCalls): string | undefined {
  const { calls, errors, unmeasured, sumMs, minMs, maxMs } = sum;
  if (errors > calls) return `errors (${errors}) must not be above calls (${calls}).`;
  if (unmeasured > calls) return `unmeasured (${unmeasured}) must not be above calls (${calls}).`;
  const measured = calls - unmeasured;
  const counted = Object.values(sum.histogram).reduce((total, inBucket) => total + inBucket, 0);
  if (counted !== measured) {
    return `histogram adds up to ${counted} calls, but calls - unmeasured is ${measured}.`;
  }
  const failed = sum.failures.reduce((total, failure) => total + failure.calls, 0);
  if (failed > errors) return `failures add up to ${failed} calls, but errors is ${errors}.`;
  if (measured === 0) {
    return sumMs > 0 ? `sumMs is ${sumMs}, but no call was measured.` : undefined;
  }
  if (typeof minMs !== "number" || typeof maxMs !== "number") {
    return "minMs and maxMs must be given where calls were measured.";
  }
  if (minMs > maxMs) return `minMs (${minMs}) must not be above maxMs (${maxMs}).`;
  // A sum of floats may be off by a little; one that is off by more belongs to other calls.
  const slack = 1e-6 * sumMs + 1e-3;
  if (sumMs < minMs * measured - slack || sumMs > maxMs * measured + slack) {
    return `sumMs (${sumMs}) must lie between minMs and maxMs times the ${measured} measured calls.`;
  }
  return undefined;
}

function wholeMicroseconds(ms: number): number {
  return Math.round(ms * 1e3);
}

/** Fifteen significant digits at most, so that the value survives SQLite's decimal form unchanged. */
function wholeNanoseconds(ms: number): number {
  return Math.round(ms * 1e6) / 1e6;
}

/** A name as it is kept and compared. */
export function normalised(text: string): string {
  return text.toWellFormed().trim().normalize("NFC");
}

function printable(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ");
}
