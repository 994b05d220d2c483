/** Splits a search text into words. No character is treated as search syntax. */

/** Gives each word once, in lower case. Control characters separate words, because no name contains them. */
export function wordsOf(text: string): string[] {
  const words = text
    .toWellFormed()
    .normalize("NFC")
    .toLowerCase()
    .split(/[\s\p{Cc}]+/u);
  return [...new Set(words.filter((word) => word !== ""))];
}

/** Whether the text contains every word, in any letter case. */
export function containsAll(text: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const folded = text.toLowerCase();
  return words.every((word) => folded.includes(word));
}
