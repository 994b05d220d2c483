/** Places in a query: ranges of offsets, and their line and column. */

/** A half-open range of offsets in the query, in UTF-16 code units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Line and column of an offset, both from 1, in the form `line:column`. */
export function locate(text: string, offset: number): string {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return `${line}:${offset - before.lastIndexOf("\n")}`;
}

export const joinSpans = (first: Span, last: Span): Span => ({ start: first.start, end: last.end });
