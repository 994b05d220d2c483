/** Evaluates a query over our source, within the limits and until the client goes away. */
import type { Context } from "hono";
import { version } from "../../../package.json";
import { readForgetAfterMs } from "../../configuration.ts";
import type { HttpEnv } from "../../http/route.ts";
import { PromqlError } from "../../promql/errors.ts";
import type { QueryOptions } from "../../promql/engine.ts";
import { queryLimits } from "./limits.ts";
import { durationOf, named, type Parameters } from "./parameters.ts";
import { CollectorSource, type SourceSettings } from "./source.ts";

/** The name of the job under which examples/prometheus.yml scrapes the collector. */
const JOB = "metrics-collector";

/** The series come from this server, as a scraper would write it. */
export function settingsOf(c: Context<HttpEnv>): SourceSettings {
  return {
    target: { job: JOB, instance: new URL(c.req.url).host },
    build: { version },
    nowMs: Date.now(),
    forgetAfterMs: readForgetAfterMs(c.env),
  };
}

/** @throws {PromqlError | BusyError | BindingFault} */
export async function evaluate<Result>(
  c: Context<HttpEnv>,
  parameters: Parameters,
  run: (source: CollectorSource, options: QueryOptions) => Promise<Result>,
): Promise<Result> {
  const { maxSamples, maxSeries, maxPoints, maxOperations, timeoutMs } = queryLimits;
  const lookbackMs = durationOf(parameters, "lookback_delta", 0);
  const options: QueryOptions = {
    maxSamples,
    maxSeries,
    maxPoints,
    maxOperations,
    timeoutMs: Math.min(timeoutMs, durationOf(parameters, "timeout", timeoutMs)),
    signal: c.req.raw.signal,
    // Other requests of the isolate run meanwhile, and the clock moves on.
    pause: () => scheduler.wait(0),
    ...(lookbackMs > 0 && { lookbackMs }),
  };
  const source = new CollectorSource(c.env, settingsOf(c));
  try {
    return await run(source, options);
  } catch (error) {
    throw error instanceof RangeError ? tooComplex(error) : named("query", error);
  } finally {
    source[Symbol.dispose]();
  }
}

/** The call stack or an array was too small for the query. */
const tooComplex = (cause: RangeError): PromqlError =>
  new PromqlError("execution", `the query is too complex: ${cause.message}`);
