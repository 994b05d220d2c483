/** The rules for texts in samples: names of services, modules and functions, and texts of failures. */

/** The most UTF-16 code units that NFC composes to one. */
const LONGEST_DECOMPOSITION = 4;

/** Whether a text may be a name: not empty, not too long, without control characters. Apply `normaliseName` first. */
export function isName(text: string, maxLength: number): boolean {
  return text.length >= 1 && text.length <= maxLength && !/\p{Cc}/u.test(text);
}

/**
 * Puts a text into Unicode's composed form (NFC) and truncates it. Replaces control characters with spaces and unpaired
 * surrogates with U+FFFD.
 */
export function printable(text: string, maxLength: number): string {
  return (
    text
      // Composing shortens a text by a small factor only, and normalising a text of a megabyte takes long.
      .slice(0, LONGEST_DECOMPOSITION * maxLength)
      .normalize("NFC")
      .slice(0, maxLength)
      .toWellFormed()
      .replace(/\p{Cc}+/gu, " ")
  );
}
