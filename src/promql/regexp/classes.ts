/** Character classes of regular expressions: brackets, Perl's, POSIX' and Unicode's. */
import { RegexpError, parseEscape } from "./escape.ts";

/** Whether a code point belongs to the class. */
export type CharTest = (code: number) => boolean;

/**
 * The inside of a class in JavaScript's syntax with the flag `v`, where classes nest. A test of a single character
 * cannot backtrack, so the platform's tables of characters and of cases serve.
 */
type ClassSource = string;

const PERL: Record<string, ClassSource | undefined> = { d: "0-9", s: String.raw`\t\n\f\r `, w: "0-9A-Za-z_" };

const POSIX: Record<string, ClassSource | undefined> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: String.raw`\0-\x7f`,
  blank: String.raw`\t `,
  cntrl: String.raw`\0-\x1f\x7f`,
  digit: "0-9",
  graph: String.raw`\x21-\x7e`,
  lower: "a-z",
  print: String.raw`\x20-\x7e`,
  punct: String.raw`\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e`,
  space: String.raw`\t-\r `,
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

/** A class, and how many code points of the pattern it takes. */
export interface ParsedClass {
  source: ClassSource;
  length: number;
}

/** @throws RegexpError if there is no such class. */
export function compileClass(source: ClassSource, ignoreCase: boolean, pattern: string): CharTest {
  const regexp = tryCompile(`^[${source}]$`, ignoreCase ? "iv" : "v");
  if (!regexp) throw new RegexpError("invalid character class range", pattern);
  return (code) => regexp.test(String.fromCodePoint(code));
}

function tryCompile(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

export const isWord = (code: number): boolean => /\w/.test(String.fromCodePoint(code));

/** Reads `\d`, `\pL`, `\p{Greek}` or `\p{^Greek}` at a backslash. A capital letter negates. */
export function readNamedClass(chars: readonly string[], at: number): ParsedClass | undefined {
  const ahead = chars.slice(at, at + 64).join("");
  const [escape, letter, caret, long, short] =
    /^\\(?:([dswDSW])|[pP](?:\{(\^?)(\w+)\}|(\w)))/.exec(ahead) ?? [];
  if (escape === undefined) return undefined;
  const isNegated = /^\\[A-Z]/.test(escape) !== (caret === "^");
  return {
    source: negateIf(isNegated, letter ? PERL[letter.toLowerCase()]! : property(long ?? short!)),
    length: escape.length,
  };
}

/** A category or a script. Neither is found when the class is compiled. */
function property(name: string): ClassSource {
  const category = String.raw`\p{${name}}`;
  return tryCompile(category, "v") ? category : String.raw`\p{Script=${name}}`;
}

const negateIf = (isNegated: boolean, source: ClassSource): ClassSource =>
  `[${isNegated ? "^" : ""}${source}]`;

/** Reads a class in brackets, both included. */
export function readBracket(chars: readonly string[], begin: number): ParsedClass {
  const fail = (reason: string, from: number, to?: number): RegexpError =>
    new RegexpError(reason, chars.slice(from, to).join(""));
  const readChar = (at: number): { code: number; length: number } => {
    const char = chars[at];
    if (char === undefined) throw fail("missing closing ]", begin);
    return char === "\\" ? parseEscape(chars, at) : { code: char.codePointAt(0)!, length: 1 };
  };
  const isNegated = chars[begin + 1] === "^";
  const first = begin + (isNegated ? 2 : 1);
  let source = "";
  let at = first;
  while (at === first || chars[at] !== "]") {
    const named = readNamedClass(chars, at) ?? readPosix(chars, at);
    if (named) {
      source += named.source;
      at += named.length;
      continue;
    }
    const start = at;
    const low = readChar(at);
    at += low.length;
    let high = low;
    if (chars[at] === "-" && chars[at + 1] !== "]" && chars[at + 1] !== undefined) {
      high = readChar(at + 1);
      at += 1 + high.length;
    }
    if (high.code < low.code) throw fail("invalid character class range", start, at);
    source += `${hex(low.code)}-${hex(high.code)}`;
  }
  return { source: negateIf(isNegated, source), length: at + 1 - begin };
}

const hex = (code: number): string => String.raw`\u{${code.toString(16)}}`;

/** Reads `[:alpha:]` or `[:^alpha:]` inside of brackets. */
function readPosix(chars: readonly string[], at: number): ParsedClass | undefined {
  const [text, caret, name] = /^\[:(\^?)([a-z]+):\]/.exec(chars.slice(at, at + 16).join("")) ?? [];
  if (text === undefined) return undefined;
  const source = POSIX[name!];
  if (source === undefined) throw new RegexpError("invalid character class range", text);
  return { source: negateIf(caret === "^", source), length: text.length };
}
