/** Marks words in a text. Returns a list of parts instead of markup, so that no text can be mistaken for markup. */
import * as z from "zod";
import { fold } from "../stats/fold.ts";

export const Snippet = z.array(z.object({ text: z.string(), match: z.boolean() }));
export type Snippet = z.infer<typeof Snippet>;

const LONGEST = 160;
const BEFORE_MATCH = 40;

/** Splits the text into matches and the text between them. Shortens a long text to the surroundings of the first match. */
export function highlight(text: string, words: readonly string[]): Snippet {
  const matches = findAll(text, words);
  const from = text.length <= LONGEST ? 0 : Math.max(0, (matches[0]?.from ?? 0) - BEFORE_MATCH);
  const to = Math.min(text.length, from + LONGEST);
  const parts: Snippet = [];
  const add = (start: number, end: number, match: boolean) => {
    if (start < end) parts.push({ text: text.slice(start, end).toWellFormed(), match });
  };
  let at = from;
  for (const match of matches) {
    if (match.from < at || match.to > to) continue;
    add(at, match.from, false);
    add(match.from, match.to, true);
    at = match.to;
  }
  add(at, to, false);
  if (from > 0) parts.unshift({ text: "…", match: false });
  if (to < text.length) parts.push({ text: "…", match: false });
  return parts;
}

/** The positions of the words, in order. */
function findAll(text: string, words: readonly string[]): { from: number; to: number }[] {
  // Composing can change a text's length. Positions in it would then not fit the original text.
  const folded = fold(text).length === text.length ? fold(text) : text;
  const found = words.flatMap((word) => {
    const places = [];
    for (let from = folded.indexOf(word); from >= 0; from = folded.indexOf(word, from + word.length)) {
      places.push({ from, to: from + word.length });
    }
    return places;
  });
  return found.sort((a, b) => a.from - b.from || b.to - a.to);
}
