/** One spelling for texts that differ only in letter case or in how their letters are composed. */

/**
 * The code points whose case is folded: Latin, Greek, Cyrillic and Armenian letters. SQLite's full-text search folds these
 * in the same way, but not the letters that Unicode added later. It leaves İ alone.
 */
const FOLDED = /[\0-\u012f\u0131-\u037e\u0380-\u0527\u0531-\u0556\u1e00-\u1fff]/gu;
const ASCII = /^[\0-\u007f]*$/;
/** Letters that `toLowerCase` leaves alone, and SQLite does not. */
const SPECIAL: Record<string, string> = { ς: "σ", ſ: "s" };

/** WARNING: D1's search and the search in the buffer must fold alike, or else a name is found in one of them only. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text.normalize("NFC").replace(FOLDED, foldLetter);
}

/** All letters that fold to the given one. */
export function variantsOf(letter: string): string {
  return (variants ??= makeVariants()).get(letter) ?? letter;
}

function foldLetter(letter: string): string {
  return SPECIAL[letter] ?? letter.toLowerCase();
}

let variants: Map<string, string> | undefined;

function makeVariants(): Map<string, string> {
  const all = new Map<string, string>();
  for (let code = 0; code < 0x2000; code++) {
    const letter = String.fromCharCode(code);
    const folded = fold(letter);
    if (folded !== letter && letter.normalize("NFC") === letter)
      all.set(folded, (all.get(folded) ?? folded) + letter);
  }
  return all;
}
