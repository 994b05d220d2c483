/** Quotes text for queries and messages, as the query language reads it back. */

/** In double quotes, with Go's escapes. Bytes that formed no character, kept as lone surrogates, become `\x…`. */
export const quote = (text: string): string =>
  JSON.stringify(text).replaceAll(/\\udc([89a-f][\da-f])/g, "\\x$1");
