/** Escapes of single characters in regular expressions, and the error of a pattern. */

/** The pattern is not valid RE2 syntax. */
export class RegexpError extends Error {
  constructor(reason: string, fragment: string) {
    super(`error parsing regexp: ${reason}: \`${fragment}\``);
    this.name = "RegexpError";
  }
}

const CONTROLS: Record<string, number | undefined> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Reads the escape at a backslash. `length` is in code points and includes the backslash. */
export function parseEscape(chars: readonly string[], at: number): { code: number; length: number } {
  const char = chars[at + 1];
  if (char === undefined) throw new RegexpError("trailing backslash at end of expression", "");
  const control = CONTROLS[char];
  if (control !== undefined) return { code: control, length: 2 };
  const ahead = chars.slice(at + 1, at + 14).join("");
  const octal = /^0[0-7]{0,2}|^[1-7][0-7]{1,2}/.exec(ahead);
  if (octal) return { code: Number.parseInt(octal[0], 8), length: 1 + octal[0].length };
  const hex = /^x(?:([\da-fA-F]{2})|\{([\da-fA-F]{1,8})\})/.exec(ahead);
  const code = hex ? Number.parseInt(hex[1] ?? hex[2]!, 16) : Infinity;
  if (hex && code <= 0x10ffff) return { code, length: 1 + hex[0].length };
  // A backslash before punctuation takes its meaning away. Before a letter or digit it is reserved.
  if (/^[!-/:-@[-^`{-~]$/.test(char)) return { code: char.codePointAt(0)!, length: 2 };
  throw new RegexpError("invalid escape sequence", `\\${char}`);
}
