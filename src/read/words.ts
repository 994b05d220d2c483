/** What a person types, as words to look for. All of it is data: no character means anything but itself. */

/** In lower case, each once. Control characters, which no name holds, separate words as spaces do. */
export function wordsOf(text: string): string[] {
  const words = text
    .toWellFormed()
    .normalize("NFC")
    .toLowerCase()
    .split(/[\s\p{Cc}]+/u);
  return [...new Set(words.filter((word) => word !== ""))];
}

/** Whether every word is somewhere in the text, in any case of letters. */
export function containsAll(text: string, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const folded = text.toLowerCase();
  return words.every((word) => folded.includes(word));
}
