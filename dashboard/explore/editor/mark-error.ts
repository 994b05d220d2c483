/** Marks the first error of the query. The parser is the server's, so place and words are those of its answer. */
import type { Diagnostic } from "@codemirror/lint";
import type { EditorView } from "@codemirror/view";
import { PromqlError } from "../../../src/promql/errors.ts";
import { parse } from "../../../src/promql/parser.ts";

export function markError(view: EditorView): Diagnostic[] {
  const text = view.state.doc.toString();
  if (text.trim() === "") return [];
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof PromqlError) || !error.span) throw error;
    return [{ ...placeOf(error.span, text.length), severity: "error", message: error.message }];
  }
}

/** At least one character, so that the mark is seen. Something that is missing at the end is marked before it. */
function placeOf({ start, end }: { start: number; end: number }, length: number) {
  const from = Math.max(0, Math.min(start, length - 1));
  return { from, to: Math.max(from + 1, Math.min(end, length)) };
}
