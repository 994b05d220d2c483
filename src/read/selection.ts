/** Which functions are asked for. */
import type { FunctionId } from "../stats/delta.ts";
import { containsAll, wordsOf } from "./words.ts";

export interface Selection {
  service?: string | undefined;
  /** The name, or the beginning of it with `*` at its end. */
  function?: string | undefined;
  /** Words, each of which must be in the service, the module or the name. */
  q?: string | undefined;
}

export function isSelectedBy(selection: Selection): (id: FunctionId) => boolean {
  const { service, function: name } = selection;
  const prefix = name?.endsWith("*") ? name.slice(0, -1) : undefined;
  const words = wordsOf(selection.q ?? "");
  return (id) =>
    (service === undefined || id.service === service) &&
    (prefix === undefined ? name === undefined || id.function === name : id.function.startsWith(prefix)) &&
    containsAll(`${id.service}\n${id.module}\n${id.function}`, words);
}
