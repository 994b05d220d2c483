/** Selects functions by patterns: `*` stands for any text, `\*` for the character. */
import type { SeriesId } from "../stats/series-id.ts";

/** A part that is left out matches everything. */
export interface Selector {
  service?: string | undefined;
  module?: string | undefined;
  function?: string | undefined;
}

export function matchesSelector(selector: Selector, id: SeriesId): boolean {
  return (
    matchesPattern(selector.service, id.service) &&
    matchesPattern(selector.module, id.module) &&
    matchesPattern(selector.function, id.function)
  );
}

/** Takes time in proportion to the lengths of pattern and text, whatever the pattern. */
export function matchesPattern(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined || pattern === "*") return true;
  const parts = partsOf(pattern);
  const [first, last] = [parts[0]!, parts.at(-1)!];
  if (parts.length === 1) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** The texts between the stars. */
function partsOf(pattern: string): string[] {
  const parts = [""];
  for (const [piece] of pattern.matchAll(/\\[\\*]|\*|[^\\*]+|\\/g)) {
    if (piece === "*") parts.push("");
    else parts[parts.length - 1] += piece.length === 2 && piece.startsWith("\\") ? piece[1]! : piece;
  }
  return parts;
}
