/** `GET /services`: which services there are, and what each did since the beginning. */
import * as z from "zod";
import { functionKey, sumByFunction } from "../stats/delta.ts";
import { allSums } from "../store/read-functions.ts";
import { readExact } from "../read/exact.ts";
import { errorRate, Seen, seen } from "./function-metrics.ts";

export const NoParameters = z.strictObject({});

export const ServiceList = z.object({
  services: z.array(
    z.object({
      service: z.string(),
      functions: z.int(),
      calls: z.int(),
      errors: z.int(),
      errorRate: z.number().nullable(),
      ...Seen.shape,
    }),
  ),
});
export type ServiceList = z.infer<typeof ServiceList>;

/** By name. */
export async function listServices(env: Pick<Env, "BUFFER" | "DB">): Promise<ServiceList> {
  const { stored, unapplied } = await readExact(env, [allSums()]);
  const all = [...stored[0], ...unapplied];
  const functions = new Map<string, Set<string>>();
  for (const row of all) {
    const known = functions.get(row.service) ?? new Set();
    functions.set(row.service, known.add(functionKey(row)));
  }
  const totals = sumByFunction(all.map((row) => ({ ...row, module: "", function: "", buckets: [] })));
  const services = totals.map((row) => ({
    service: row.service,
    functions: functions.get(row.service)!.size,
    calls: row.calls,
    errors: row.errors,
    errorRate: errorRate(row),
    ...seen(row),
  }));
  return { services: services.sort((a, b) => (a.service < b.service ? -1 : 1)) };
}
