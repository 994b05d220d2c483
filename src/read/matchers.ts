/** Which series a read is about. */
import { containsAll, wordsOf } from "./words.ts";
import type { SeriesId } from "../stats/series-id.ts";

/** A condition that is left out matches every series. */
export interface Matchers {
  service?: string | undefined;
  module?: string | undefined;
  /** The whole name of the function. */
  function?: string | undefined;
  /** The beginning of the function's name. */
  prefix?: string | undefined;
  /** Words, each of which is in the service, the module or the function's name. */
  words?: string | undefined;
}

/** Matches the whole name, or its beginning if the pattern ends in `*`. */
export function byPattern(pattern: string | undefined): Pick<Matchers, "function" | "prefix"> {
  return pattern?.endsWith("*") ? { prefix: pattern.slice(0, -1) } : { function: pattern };
}

/** One function of a service, in one module or in all modules together. */
export type FunctionName = Matchers & { service: string; function: string };

/** Whether the matchers name one function, which D1 then finds by its index. */
export function isFunctionName(matchers: Matchers): matchers is FunctionName {
  return matchers.service !== undefined && matchers.function !== undefined;
}

/** Gives the test of a series that the matchers stand for. */
export function matching(matchers: Matchers): (id: SeriesId) => boolean {
  const { service, module, function: name, prefix } = matchers;
  const words = wordsOf(matchers.words ?? "");
  return (id) =>
    (service === undefined || id.service === service) &&
    (module === undefined || id.module === module) &&
    (name === undefined || id.function === name) &&
    (prefix === undefined || id.function.startsWith(prefix)) &&
    containsAll(`${id.service}\n${id.module}\n${id.function}`, words);
}
