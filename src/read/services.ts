/** Reads the totals of each service since the beginning. */
import { allSums } from "../store/read-functions.ts";
import { readExact } from "./exact.ts";
import type { ReadBindings } from "./series.ts";
import { seriesKey } from "../stats/series-id.ts";
import { sumBySeries } from "../stats/sums.ts";

export interface ServiceTotals {
  service: string;
  /** How many different functions it has. */
  functions: number;
  calls: number;
  errors: number;
  /** Epoch milliseconds. */
  firstSeen: number;
  lastSeen: number;
}

/** In order of name. @throws {BusyError | BindingFault} */
export async function readServices(env: ReadBindings): Promise<ServiceTotals[]> {
  const { stored, unapplied } = await readExact(env, [allSums()]);
  const all = [...stored[0], ...unapplied];
  const functions = Map.groupBy(
    new Map(all.map((row) => [seriesKey(row), row])).values(),
    (row) => row.service,
  );
  const totals = sumBySeries(all.map((row) => ({ ...row, module: "", function: "", buckets: [] })));
  return totals
    .map(({ service, calls, errors, firstSeen, lastSeen }) => ({
      service,
      functions: functions.get(service)!.length,
      calls,
      errors,
      firstSeen,
      lastSeen,
    }))
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}
