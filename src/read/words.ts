/**
 * Splits a search text into words, and finds them in texts.
 *
 * A word is found where it stands literally, in any letter case. It is also found in another spelling of its parts:
 * `charge_card` finds chargeCard and charge-card. A `*` between parts stands for any characters.
 */
import { fold } from "../stats/fold.ts";

export interface Word {
  /** As it was typed, folded. */
  text: string;
  /** Its parts, folded. Each text that has the word contains all of them. Never empty. */
  parts: string[];
  /** The parts between two `*`, joined. Empty if the word has no letters or digits. */
  groups: string[];
}

/** What stands between the parts of a name. Spaces separate words. */
const SEPARATORS = /[_\-.:/]+/u;
const ALL_SEPARATORS = /[_\-.:/]+/gu;
/** Before a capital, as in chargeCard and in URLParser. */
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;

/** Gives each word once. Control characters separate words, because no name contains them. */
export function wordsOf(text: string): Word[] {
  const typed = text
    .toWellFormed()
    .normalize("NFC")
    .split(/[\s\p{Cc}]+/u)
    .filter((word) => word !== "");
  return [...new Map(typed.map((word) => [fold(word), toWord(word)])).values()];
}

/** Whether the text contains every word. */
export function containsAll(text: string, words: readonly Word[]): boolean {
  if (words.length === 0) return true;
  const folded = fold(text);
  const compact = withoutSeparators(folded);
  return words.every((word) => isIn(folded, compact, word));
}

/** Texts to look for in a text that has the word, in order to mark it. */
export function marksOf(text: string, words: readonly Word[]): string[] {
  const folded = fold(text);
  return words.flatMap((word) => (folded.includes(word.text) ? [word.text] : word.parts));
}

/** Folded text without what stands between the parts of names. */
export function withoutSeparators(folded: string): string {
  return folded.replace(ALL_SEPARATORS, "");
}

function toWord(typed: string): Word {
  const groups = typed
    .split("*")
    .map((group) => group.split(SEPARATORS).flatMap((part) => part.split(HUMP)))
    .map((parts) => parts.map(fold).filter((part) => part !== ""))
    .filter((parts) => parts.length > 0);
  const text = fold(typed);
  const parts = groups.flat();
  return { text, parts: parts.length > 0 ? parts : [text], groups: groups.map((group) => group.join("")) };
}

function isIn(folded: string, compact: string, { text, parts, groups }: Word): boolean {
  if (folded.includes(text)) return true;
  // D1's index knows texts with their separators only. Without this, a text that has one inside a part would be found
  // in the buffer and not in D1.
  if (groups.length === 0 || !parts.every((part) => folded.includes(part))) return false;
  let from = 0;
  for (const group of groups) {
    const at = compact.indexOf(group, from);
    if (at < 0) return false;
    from = at + group.length;
  }
  return true;
}
