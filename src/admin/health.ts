/** `GET /health`: how many samples are acknowledged but not in D1 yet, since when, and which problems there are. */
import * as z from "zod";
import { version } from "../../package.json";
import { problemsOfTokens } from "../access/tokens.ts";
import { callAllBuffers } from "../buffer/buffers.ts";
import { readConfiguration } from "../configuration.ts";
import { BindingFault, ConfigurationError } from "../errors.ts";
import { route } from "../http/route.ts";
import { logError } from "../log.ts";
import { readBufferHealth } from "../read/buffer-health.ts";
import { readLastRetention } from "../store/last-retention.ts";
import { readLastApplied } from "../store/ledger.ts";
import { OVERFLOW } from "../stats/overflow.ts";
import { isSettled } from "../store/settled-flush.ts";
import {
  bufferProblems,
  retentionProblems,
  storeProblems,
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
  "BUFFER" | "DB" | "MAX_ITEMS" | "MAX_WAITING_TIME" | "INGEST_TOKENS" | "READ_TOKENS" | "ADMIN_TOKENS"
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
  const buffer = await attempt(() => readBufferHealth(env), bufferProblem);
  // WARNING: ask the buffer first and D1 after it. In the other order, a flush that is confirmed meanwhile seems lost.
  const settled = buffer ? await attempt(() => readSettled(env), bufferProblem) : undefined;
  const stored = await attempt(
    () =>
      Promise.all([
        readLastFlush(env.DB, buffer?.epochs ?? []),
        readLastRetention(env.DB),
        hasAll(env.DB, settled ?? []),
      ]),
    unreadableStoreProblem,
  );
  const [lastFlushAt = null, lastRetention, isComplete = true] = stored ?? [];
  problems.push(...storeProblems(isComplete));
  if (buffer) problems.push(...bufferProblems(buffer, configuration?.maxWaitingMs, now));
  if (lastRetention) problems.push(...retentionProblems(lastRetention, now));
  return {
    status: problems.length === 0 ? "ok" : "degraded",
    problems,
    bufferedSamples: buffer?.bufferedSamples ?? null,
    bufferedBytes: buffer?.bufferedBytes ?? null,
    oldestBufferedAt: iso(buffer?.oldestBufferedAt),
    unconfirmedFlushes: buffer?.unconfirmedFlushes ?? null,
    oldestUnconfirmedAt: iso(buffer?.oldestUnconfirmedAt),
    deadLetters: buffer?.deadLetters ?? null,
    lastFlushAt: iso(lastFlushAt),
    lastRetentionAt: iso(lastRetention?.finishedAt),
    overflow: buffer?.overflow.filter((service) => service !== OVERFLOW) ?? null,
    overflowOfServices: buffer?.overflow.includes(OVERFLOW) ?? null,
    version,
  };
}

/** When D1 last applied a flush of any of the epochs, in epoch milliseconds; null if it never did. */
async function readLastFlush(db: D1Database, epochs: readonly string[]): Promise<number | null> {
  const times = await Promise.all(epochs.map((epoch) => readLastApplied(db, epoch)));
  return times.reduce((last, time) => (last === null || (time ?? 0) > last ? time : last), null);
}

/** What each buffer has a confirmation of: every flush of the epoch below `n`. @throws {BindingFault} */
function readSettled(env: Pick<Env, "BUFFER">): Promise<{ epoch: string; n: number }[]> {
  return callAllBuffers(env, async (buffer) => await buffer.settledBelow());
}

/** Whether D1 knows the last of the flushes that were confirmed, of each epoch. */
async function hasAll(db: D1Database, settled: readonly { epoch: string; n: number }[]): Promise<boolean> {
  const confirmed = settled.filter(({ n }) => n > 1);
  const known = await Promise.all(confirmed.map(({ epoch, n }) => isSettled(db, epoch, n - 1)));
  return known.every(Boolean);
}

function configurationProblem(error: unknown): string {
  return error instanceof ConfigurationError ? error.message : "The configuration cannot be read.";
}

function bufferProblem(error: unknown): string {
  const cause = error instanceof BindingFault ? error.cause : error;
  const isOverloaded = (cause as { overloaded?: unknown } | null)?.overloaded === true;
  return `The buffer ${isOverloaded ? "is overloaded" : "does not answer"}. What it holds is unknown.`;
}

function iso(epochMs: number | null | undefined): string | null {
  return typeof epochMs === "number" ? new Date(epochMs).toISOString() : null;
}
