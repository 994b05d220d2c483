/** Finds the sum of a function by its name and module. */
import type { SealedSum } from "./batch.ts";
import { tidy } from "./failure.ts";
import { NAME_LENGTH } from "./limits.ts";
import type { Reporter } from "./reporter.ts";
import { createSum, type FunctionSum } from "./sum.ts";
import type { Timeline } from "./timeline.ts";

const OVERFLOW = "__overflow__";

/** Returns the sum of a function. Past the limit on functions, all further ones share one sum. */
export type FindSum = (name: unknown, module?: string) => FunctionSum;

export function createRegistry(
  maxFunctions: number,
  timeline: Timeline,
  store: (sum: SealedSum) => void,
  { warnOnce }: Reporter,
): FindSum {
  const sums = new Map<string, FunctionSum>();
  const find: FindSum = (name, module) => {
    const identity = { function: tidy(name, NAME_LENGTH, "function"), module: tidy(module, NAME_LENGTH) };
    const key = JSON.stringify(identity);
    let sum = sums.get(key);
    if (sum) return sum;
    if (sums.size >= maxFunctions && name !== OVERFLOW) {
      warnOnce(
        OVERFLOW,
        `There are more than ${maxFunctions} functions (maxFunctions); others count as ${OVERFLOW}.`,
      );
      return find(OVERFLOW);
    }
    sum = createSum(identity, timeline, store);
    sums.set(key, sum);
    return sum;
  };
  return find;
}
