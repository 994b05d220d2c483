/** Brings the name of a service, module or function into the one form in which names are stored and compared. */

/**
 * Replaces unpaired surrogates with U+FFFD, removes white space at both ends, and composes characters (Unicode NFC). A
 * name therefore means the same function whichever keyboard, editor or operating system it was typed with.
 */
export function normaliseName(text: string): string {
  return text.toWellFormed().trim().normalize("NFC");
}
