/** What is known of one function: D1's part and the unapplied part of it. */
import { ErrorResponse } from "../http/error-response.ts";
import { type Delta, functionKey, type FunctionTotals, sumByFunction } from "../stats/delta.ts";
import type { Named, StoredTotals } from "../store/read-functions.ts";

export function isOf({ service, function: name, module }: Named): (delta: Delta) => boolean {
  return (delta) =>
    delta.service === service && delta.function === name && (module === undefined || delta.module === module);
}

/**
 * The totals of the name in all its modules together.
 *
 * @throws {ErrorResponse} 404 where nothing is known of it
 */
export function mergeModules(
  named: Named,
  stored: readonly StoredTotals[],
  unapplied: readonly Delta[],
): { modules: string[]; totals: FunctionTotals } {
  const all = [...stored, ...unapplied];
  const [totals] = sumByFunction(all.map((row) => ({ ...row, module: "" })));
  if (!totals) {
    const where = named.module === undefined ? "" : ` in the module ${JSON.stringify(named.module)}`;
    throw new ErrorResponse(
      404,
      "unknown_function",
      `The service ${JSON.stringify(named.service)} has no function ${JSON.stringify(named.function)}${where}.`,
    );
  }
  return { modules: [...new Map(all.map((row) => [functionKey(row), row.module])).values()].sort(), totals };
}
