/** `GET /health`: how many samples are acknowledged but not in D1 yet, since when, and which problems there are. */
import * as z from "zod";
import { version } from "../../package.json";
import { alertsProblems, readAlertsHealth } from "../alerts/health.ts";
import { problemsOfTokens } from "../access/tokens.ts";
import { readConfiguration, readKeepFlushesMs } from "../configuration.ts";
import { BindingFault, ConfigurationError, RefusedError } from "../errors.ts";
import { describeRefusal, refusalOf } from "../refusal.ts";
import { route } from "../http/route.ts";
import { logError } from "../log.ts";
import { readBufferHealth } from "../read/buffer-health.ts";
import { readSinks } from "../read/sinks.ts";
import { recallLost } from "../recall/recall-lost.ts";
import { readLastRetention } from "../store/last-retention.ts";
import { readLastApplied } from "../store/ledger.ts";
import { OVERFLOW } from "../stats/overflow.ts";
import {
  bufferProblems,
  lossProblems,
  recallProblems,
  refusalProblems,
  retentionProblems,
  sinkProblems,
  unreadableStoreProblem,
} from "./health-problems.ts";

const time = z.iso.datetime().nullable();
const count = z.int().nullable();

export const Health = z
  .object({
    status: z.enum(["ok", "degraded"]),
    problems: z
      .array(z.string())
      .meta({ description: "Problems that a person should look at. Empty if there are none." }),
    bufferedSamples: count.meta({ description: "Samples since the last flush was sealed." }),
    bufferedBytes: count,
    oldestBufferedAt: time,
    unconfirmedFlushes: count.meta({
      description: "Flushes that D1 has not confirmed, including dead letters.",
    }),
    oldestUnconfirmedAt: time,
    deadLetters: count.meta({
      description: "Flushes that D1 keeps refusing. They count in every read and are tried again hourly.",
    }),
    recalledFlushes: count.meta({
      description:
        "Flushes that D1 had confirmed and lacks, because it was restored to an earlier time. They are sent again.",
    }),
    recalledSince: time.meta({ description: "When the oldest of them was sealed." }),
    lostFlushes: count.meta({
      description:
        "Flushes that D1 had confirmed and lacks, and that the buffer does not keep any more. No answer has their calls.",
    }),
    lostSince: time.meta({ description: "When D1 applied the flush before the first of them." }),
    lastFlushAt: time.meta({ description: "When D1 last applied a flush." }),
    lastRetentionAt: time.meta({ description: "When the hourly retention job last ended." }),
    overflow: z
      .array(z.string())
      .nullable()
      .meta({
        description:
          "Services with more functions than the limit. Calls of the further functions count under the function " +
          "`__overflow__`.",
      }),
    overflowOfServices: z
      .boolean()
      .nullable()
      .meta({
        description:
          "Whether there are more services than the limit. Calls of the further services count under the service " +
          "`__overflow__`.",
      }),
    rejectedSamples: z
      .record(z.string(), z.int())
      .nullable()
      .meta({ description: "Samples that were rejected since the buffer was created, by reason." }),
    alertsEvaluatedAt: time.meta({
      description: "When rules of alerts were last evaluated. Null if there are no rules and targets.",
    }),
    sinks: z
      .array(
        z.object({
          name: z.string(),
          type: z.string().nullable(),
          state: z.string(),
          lagSeconds: z.int(),
          lagRows: z.int(),
          refused: z.int(),
        }),
      )
      .nullable()
      .meta({ description: "Other stores that get the figures. GET /sinks says more." }),
    version: z.string(),
  })
  .meta({
    description:
      "A field is null if there is none, or if it could not be read. In the second case `problems` has an entry.",
  });
export type Health = z.infer<typeof Health>;

export const healthRoute = route({
  method: "get",
  path: "/health",
  right: "read",
  summary: "What is between the acknowledgement and D1",
  description: "200 if all is well, else 503 with the same body.",
  query: z.object({}),
  answer: Health,
  errors: [401, 403, 429, 503],
  async handler(c) {
    const health = await readHealth(c.env);
    return c.json(health, health.status === "ok" ? 200 : 503);
  },
});

type Bindings = Pick<
  Env,
  | "ALERTS"
  | "BUFFER"
  | "DB"
  | "SINKS"
  | "MAX_ITEMS"
  | "MAX_WAITING_TIME"
  | "KEEP_FLUSHES_HOURS"
  | "INGEST_TOKENS"
  | "READ_TOKENS"
  | "ADMIN_TOKENS"
>;

/** Reads a few rows. Never throws, because operators call it when other parts fail. */
export async function readHealth(env: Bindings): Promise<Health> {
  const now = Date.now();
  const problems = problemsOfTokens(env);
  const attempt = async <Answer>(read: () => Promise<Answer>, problemOf: (error: unknown) => string) => {
    try {
      return await read();
    } catch (error) {
      logError("health_unknown", error);
      problems.push(problemOf(error));
      return undefined;
    }
  };
  const configuration = await attempt(async () => readConfiguration(env), configurationProblem);
  await attempt(async () => readKeepFlushesMs(env), configurationProblem);
  // First, so that what is sent again is counted below.
  const lost = await attempt(() => recallLost(env, { isQuick: true }), recallProblem);
  const buffer = await attempt(() => readBufferHealth(env), bufferProblem);
  // If only D1 failed, its problem is told already.
  const isStoreUnknown = lost === undefined && buffer !== undefined;
  const stored = isStoreUnknown
    ? undefined
    : await attempt(
        () => Promise.all([readLastFlush(env.DB, buffer?.epochs ?? []), readLastRetention(env.DB)]),
        unreadableStoreProblem,
      );
  const [lastFlushAt = null, lastRetention] = stored ?? [];
  const sinks = isStoreUnknown ? undefined : await attempt(() => readSinks(env, now), unreadableStoreProblem);
  if (sinks) problems.push(...sinkProblems(sinks, now));
  if (lost) problems.push(...lossProblems(lost));
  if (buffer) problems.push(...recallProblems(buffer), ...refusalProblems(buffer));
  if (buffer) problems.push(...bufferProblems(buffer, configuration?.maxWaitingMs, now));
  const alerts = await attempt(() => readAlertsHealth(env), alertsProblem);
  if (alerts) problems.push(...alertsProblems(alerts, now));
  if (lastRetention) problems.push(...retentionProblems(lastRetention, now));
  return {
    status: problems.length === 0 ? "ok" : "degraded",
    problems: [...new Set(problems)],
    bufferedSamples: buffer?.bufferedSamples ?? null,
    bufferedBytes: buffer?.bufferedBytes ?? null,
    oldestBufferedAt: iso(buffer?.oldestBufferedAt),
    unconfirmedFlushes: buffer?.unconfirmedFlushes ?? null,
    oldestUnconfirmedAt: iso(buffer?.oldestUnconfirmedAt),
    deadLetters: buffer?.deadLetters ?? null,
    recalledFlushes: buffer?.recalledFlushes ?? null,
    recalledSince: iso(buffer?.recalledSince),
    lostFlushes: lost?.reduce((sum, { flushes }) => sum + flushes, 0) ?? null,
    lostSince: iso(lost?.[0]?.since),
    lastFlushAt: iso(lastFlushAt),
    lastRetentionAt: iso(lastRetention?.finishedAt),
    overflow: buffer?.overflow.filter((service) => service !== OVERFLOW) ?? null,
    overflowOfServices: buffer?.overflow.includes(OVERFLOW) ?? null,
    rejectedSamples: buffer?.rejectedSamples ?? null,
    alertsEvaluatedAt: iso(alerts?.evaluatedAt ? alerts.evaluatedAt * 1000 : null),
    sinks:
      sinks?.map(({ name, configuration, state, lagSeconds, lagRows, refused }) => ({
        name,
        type: typeof configuration["type"] === "string" ? configuration["type"] : null,
        state,
        lagSeconds,
        lagRows,
        refused,
      })) ?? null,
    version,
  };
}

/** When D1 last applied a flush of any of the epochs, in epoch milliseconds; null if it never did. */
async function readLastFlush(db: D1Database, epochs: readonly string[]): Promise<number | null> {
  const times = await Promise.all(epochs.map((epoch) => readLastApplied(db, epoch)));
  return times.reduce((last, time) => (last === null || (time ?? 0) > last ? time : last), null);
}

function configurationProblem(error: unknown): string {
  return error instanceof ConfigurationError ? error.message : "The configuration cannot be read.";
}

/** `recallLost` asks the buffer and D1. */
function recallProblem(error: unknown): string {
  const isOfBuffer =
    (error instanceof BindingFault || error instanceof RefusedError) && error.binding === "The buffer";
  return isOfBuffer ? bufferProblem(error) : unreadableStoreProblem(error);
}

function bufferProblem(error: unknown): string {
  const refusal = refusalOf(error);
  if (refusal) return `The buffer cannot be used now. ${describeRefusal(refusal)}`;
  const cause = error instanceof BindingFault ? error.cause : error;
  const isOverloaded = (cause as { overloaded?: unknown } | null)?.overloaded === true;
  return `The buffer ${isOverloaded ? "is overloaded" : "does not answer"}. What it holds is unknown.`;
}

function alertsProblem(): string {
  return "The object of alerts does not answer. Whether rules are evaluated is unknown.";
}

function iso(epochMs: number | null | undefined): string | null {
  return typeof epochMs === "number" ? new Date(epochMs).toISOString() : null;
}
