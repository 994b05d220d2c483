/** Conditions that select the series of a read. */
import { containsAll, wordsOf } from "./words.ts";
import { normaliseName, type SeriesId } from "../stats/series-id.ts";

/** A condition that is left out matches every series. */
export interface Matchers {
  service?: string | undefined;
  module?: string | undefined;
  /** The whole name of the function. */
  function?: string | undefined;
  /** The beginning of the function's name. */
  prefix?: string | undefined;
  /** Words. Each must be in the service, the module or the function's name. */
  words?: string | undefined;
}

/** In a pattern, `\*` stands for `*`, and `\\` for `\`. Before any other character, `\` stands for itself. */
const ESCAPED = /\\([\\*])/g;

/**
 * Matches the whole name, or its beginning if the pattern ends in `*`. A name that itself ends in `*` is written with `\*`
 * at its end.
 */
export function byPattern(pattern: string | undefined): Pick<Matchers, "function" | "prefix"> {
  if (pattern === undefined) return {};
  const isPrefix = pattern.replaceAll(ESCAPED, "").endsWith("*");
  if (!isPrefix) return { function: normaliseName(pattern.replaceAll(ESCAPED, "$1")) };
  // A prefix keeps the space at its end.
  const prefix = pattern.slice(0, -1).replaceAll(ESCAPED, "$1");
  return { prefix: prefix.toWellFormed().normalize("NFC").trimStart() };
}

/** One function of a service, in one module or in all modules together. */
export type FunctionName = Matchers & { service: string; function: string };

/** The names of a path, in the form in which they are stored. */
export function inNormalForm({
  service,
  function: name,
}: {
  service: string;
  function: string;
}): FunctionName {
  return { service: normaliseName(service), function: normaliseName(name) };
}

/** Whether the matchers name one function, which D1 then finds by its index. */
export function isFunctionName(matchers: Matchers): matchers is FunctionName {
  return matchers.service !== undefined && matchers.function !== undefined;
}

/** Returns a function that tells whether a series meets all conditions. */
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
