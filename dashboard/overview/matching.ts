/** Tells functions apart, and selects those that match the service and the words that a reader chose. */
import type { View } from "../view/view.ts";

interface Identity {
  service: string;
  module: string;
  function: string;
}

export interface Named extends Identity {
  /** The text that a search looks at. */
  words: Searchable;
}

interface Searchable {
  /** In lower case, with line breaks between the names. */
  text: string;
  /** The same without what stands between the parts of a name. */
  compact: string;
}

const SEPARATORS = /[_\-.:/]+/g;

export function keyOf({ service, module, function: name }: Identity): string {
  return `${service}\n${module}\n${name}`;
}

export function wordsOf(of: Identity): Searchable {
  const text = keyOf(of).toLowerCase();
  return { text, compact: text.replace(SEPARATORS, "") };
}

/**
 * Keeps those of the chosen service that contain every search word in the service, the module or the name. As in
 * `GET /search`, `charge_card` finds chargeCard, and `*` stands for any characters.
 */
export function matching<T extends Named>(
  all: readonly T[],
  { service, q }: Pick<View, "service" | "q">,
): T[] {
  const words = q.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = words.map((word) => {
    const groups = word.replace(SEPARATORS, "").split("*").filter(Boolean);
    const isLetters = /[\p{L}\p{N}]/u.test(word);
    return ({ text, compact }: Searchable) =>
      text.includes(word) || (isLetters && containsInOrder(compact, groups));
  });
  return all.filter(
    (one) => (service === "" || one.service === service) && isFound.every((isIn) => isIn(one.words)),
  );
}

function containsInOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}
