/** Suggests names of functions that a search text with a slip may mean. */
import { functionsLike } from "../store/search.ts";
import { editDistance } from "./edit-distance.ts";
import { readExact } from "./exact.ts";
import { fold } from "../stats/fold.ts";
import type { ReadBindings } from "./series.ts";
import { type Word, withoutSeparators } from "./words.ts";

const SUGGESTIONS = 3;
/** Shorter texts resemble too many names. */
const MIN_LENGTH = 4;
const MAX_DISTANCE = 3;

/** Names of functions that differ from the words in a few characters, the most similar first. @throws as `readExact` */
export async function findSimilar(env: ReadBindings, words: readonly Word[]): Promise<string[]> {
  const typed = withoutSeparators(words.map(({ text }) => text).join("")).replaceAll("*", "");
  if (Array.from(typed).length < MIN_LENGTH) return [];
  const { stored, unapplied } = await readExact(env, [functionsLike(trigramsOf(typed))]);
  const names = new Set([...stored[0], ...unapplied].map((row) => row.function));
  const max = Math.min(MAX_DISTANCE, Math.floor(typed.length / MIN_LENGTH));
  return Array.from(names, (name) => ({ name, distance: distanceTo(name, typed, max) }))
    .filter(({ distance }) => distance <= max)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}

/** The distance to the name, or to its last part, such as the method of `Cart.add`. */
function distanceTo(name: string, typed: string, max: number): number {
  const folded = fold(name);
  const last = folded.split(/[.:/#]/).at(-1)!;
  return Math.min(...[folded, last].map((part) => editDistance(withoutSeparators(part), typed, max)));
}

function trigramsOf(text: string): string[] {
  const letters = Array.from(text);
  return letters.slice(2).map((_, i) => letters.slice(i, i + 3).join(""));
}
