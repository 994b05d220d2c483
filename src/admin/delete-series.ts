/**
 * `DELETE /metrics/:service` and `DELETE /metrics/:service/:function`: deletes a service or a function, with all calls that
 * were acknowledged so far. Calls that are acknowledged later count, and bring the name back. `DELETE /service` and
 * `DELETE /function` take the names as parameters, because a path cannot hold `.` and `..`.
 */
import * as z from "zod";
import { callAllBuffers } from "../buffer/buffers.ts";
import { FunctionName, ModuleName, ServiceName } from "../http/parameters.ts";
import { route } from "../http/route.ts";
import { logError } from "../log.ts";
import { UnknownSeriesError } from "../read/errors.ts";
import { inNormalForm } from "../read/matchers.ts";
import { readTotals } from "../read/series.ts";
import { normaliseName, type SeriesSelector } from "../stats/series-id.ts";
import { wakeSinks } from "../sinks/sinks.ts";
import { applyFlushes } from "../store/apply-flushes.ts";

const Deleted = z.object({
  deleted: z
    .object({ functions: z.int(), calls: z.int(), errors: z.int() })
    .meta({ description: "What the functions had just before the deletion." }),
  isComplete: z.boolean().meta({
    description:
      "False if D1 or the buffer did not answer. The deletion holds in every read, and reaches D1 by itself later.",
  }),
});

const ERRORS = [400, 401, 403, 404, 429, 503] as const;

export const deleteServiceRoute = route({
  method: "delete",
  path: "/metrics/:service",
  right: "admin",
  summary: "Delete a service with all its functions and calls",
  query: z.strictObject({}),
  answer: Deleted,
  errors: ERRORS,
  handler: (c, { params: { service } }) => deleteSeries(c.env, { service: normaliseName(service) }),
});

export const deleteFunctionRoute = route({
  method: "delete",
  path: "/metrics/:service/:function",
  right: "admin",
  summary: "Delete a function with all its calls",
  query: z.strictObject({ module: ModuleName.optional() }),
  answer: Deleted,
  errors: ERRORS,
  handler: (c, { params, query }) => deleteSeries(c.env, { ...inNormalForm(params), ...query }),
});

export const deleteServiceByQueryRoute = route({
  method: "delete",
  path: "/service",
  right: "admin",
  summary: "As `DELETE /metrics/{service}`, for names that a path cannot hold, such as `..`",
  query: z.strictObject({ service: ServiceName }),
  answer: Deleted,
  errors: ERRORS,
  handler: (c, { query }) => deleteSeries(c.env, query),
});

export const deleteFunctionByQueryRoute = route({
  method: "delete",
  path: "/function",
  right: "admin",
  summary: "As `DELETE /metrics/{service}/{function}`, for names that a path cannot hold, such as `..`",
  query: z.strictObject({ service: ServiceName, function: FunctionName, module: ModuleName.optional() }),
  answer: Deleted,
  errors: ERRORS,
  handler: (c, { query }) => deleteSeries(c.env, query),
});

/**
 * Deletes series. The deletion takes effect once the buffer has stored it. Applying it to D1 here is only faster than the
 * queue: if that fails, the buffer sends the deletion until D1 has applied it.
 *
 * @throws {UnknownSeriesError | BusyError | BindingFault}
 */
export async function deleteSeries(
  env: Pick<Env, "BUFFER" | "DB" | "SINKS">,
  selector: SeriesSelector,
): Promise<z.output<typeof Deleted>> {
  const totals = await readTotals(env, selector);
  if (totals.length === 0) throw new UnknownSeriesError(selector);
  const deletions = await callAllBuffers(env, async (buffer) => ({
    buffer,
    flush: await buffer.deleteSeries(selector),
  }));
  const deleted = {
    functions: totals.length,
    calls: totals.reduce((sum, { calls }) => sum + calls, 0),
    errors: totals.reduce((sum, { errors }) => sum + errors, 0),
  };
  try {
    const { premature, sinks } = await applyFlushes(
      env.DB,
      deletions.map(({ flush }) => ({ ...flush, deltas: [] })),
    );
    await wakeSinks(env, sinks);
    // The outbox keeps the deletion, and D1 takes it once it has the deletion before it again.
    if (premature.length > 0) return { deleted, isComplete: false };
    for (const { buffer, flush } of deletions) await buffer.confirm(flush.epoch, [flush.n]);
    return { deleted, isComplete: true };
  } catch (error) {
    logError("deletion_delayed", error);
    return { deleted, isComplete: false };
  }
}
