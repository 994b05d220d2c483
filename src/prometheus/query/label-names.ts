/** Label names in paths. Names with other characters than letters, digits and `_` are escaped. */

/** Undoes the escaping `U__…`: `__` stands for `_`, and `_2e_` for the character of that code. */
export function unescapeLabelName(text: string): string {
  if (!text.startsWith("U__")) return text;
  return text
    .slice(3)
    .replaceAll(/__|_([\da-fA-F]{1,6})_/g, (_, code?: string) =>
      code === undefined ? "_" : characterOf(Number.parseInt(code, 16)),
    );
}

const characterOf = (code: number): string => (code <= 0x10_ffff ? String.fromCodePoint(code) : "\u{fffd}");
