/** The rules for texts in samples: names of services, modules and functions, and texts of failures. */

/** Whether a text may be a name: not empty, not too long, without control characters. Apply `normaliseName` first. */
export function isName(text: string, maxLength: number): boolean {
  return text.length >= 1 && text.length <= maxLength && !/\p{Cc}/u.test(text);
}

/** Truncates a text, and replaces control characters with spaces and unpaired surrogates with U+FFFD. */
export function printable(text: string, maxLength: number): string {
  return text
    .slice(0, maxLength)
    .toWellFormed()
    .replace(/\p{Cc}+/gu, " ");
}
