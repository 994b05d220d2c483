/** Character classes of regular expressions: brackets, Perl's, POSIX' and Unicode's. */
import { RegexpError, parseEscape } from "./escape.ts";

/** Whether a code point belongs to the class. */
export type CharTest = (code: number) => boolean;

export const negated =
  (test: CharTest): CharTest =>
  (code) =>
    !test(code);

/** Accepts a code point if it or its other case is in the class. */
export const caseless =
  (test: CharTest): CharTest =>
  (code) =>
    test(code) || otherCases(code).some(test);

const digit = inRanges("09");
const space: CharTest = (code) => code === 32 || (code >= 9 && code <= 13 && code !== 11);
const word = inRanges("09AZaz__");

const PERL: Record<string, CharTest | undefined> = {
  d: digit,
  D: negated(digit),
  s: space,
  S: negated(space),
  w: word,
  W: negated(word),
};

/** The class of a letter after a backslash, such as `d`. */
export const perlClass = (letter: string): CharTest | undefined => PERL[letter];

export const isWord: CharTest = word;

const POSIX: Record<string, CharTest | undefined> = {
  alnum: inRanges("09AZaz"),
  alpha: inRanges("AZaz"),
  ascii: (code) => code < 128,
  blank: inRanges("  \t\t"),
  cntrl: (code) => code < 32 || code === 127,
  digit,
  graph: inRanges("!~"),
  lower: inRanges("az"),
  print: inRanges(" ~"),
  punct: inRanges("!/:@[`{~"),
  space: (code) => code === 32 || (code >= 9 && code <= 13),
  upper: inRanges("AZ"),
  word,
  xdigit: inRanges("09AFaf"),
};

/** Reads `\pL` or `\p{Greek}` at a backslash, without its negation by `P`. `\p{^Greek}` is the negation too. */
export function unicodeClass(chars: readonly string[], at: number): { test: CharTest; length: number } {
  const source = chars.slice(at, at + 64).join("");
  const parsed = /^\\[pP](?:\{(\^?)(\w+)\}|(\w))/.exec(source);
  if (!parsed) throw new RegexpError("invalid character class range", source.slice(0, 3));
  const test = namedClass(parsed[2] ?? parsed[3]!);
  if (!test) throw new RegexpError("invalid character class range", parsed[0]);
  return { test: parsed[1] ? negated(test) : test, length: parsed[0].length };
}

/** The platform's own tables serve: a test of a single character cannot backtrack. */
function namedClass(name: string): CharTest | undefined {
  if (name === "Any") return () => true;
  for (const property of [`\\p{${name}}`, `\\p{Script=${name}}`]) {
    try {
      const pattern = new RegExp(`^${property}$`, "u");
      return (code) => pattern.test(String.fromCodePoint(code));
    } catch {
      // Neither a category nor a script of this name.
    }
  }
  return undefined;
}

/** Reads a class in brackets. `length` is in code points and includes both brackets. */
export function parseBracket(
  chars: readonly string[],
  begin: number,
  ignoreCase: boolean,
): { test: CharTest; length: number } {
  const tests: CharTest[] = [];
  let at = begin + 1;
  const inverted = chars[at] === "^";
  if (inverted) at++;
  for (let first = true; first || chars[at] !== "]"; first = false) {
    if (chars[at] === undefined) throw new RegexpError("missing closing ]", chars.slice(begin).join(""));
    const named = readNamed(chars, at);
    if (named) {
      tests.push(named.test);
      at += named.length;
      continue;
    }
    const low = readChar(chars, at, begin);
    const rangeStart = at;
    at += low.length;
    let high = low.code;
    if (chars[at] === "-" && chars[at + 1] !== "]" && chars[at + 1] !== undefined) {
      const upper = readChar(chars, at + 1, begin);
      at += 1 + upper.length;
      high = upper.code;
      if (high < low.code) {
        throw new RegexpError("invalid character class range", chars.slice(rangeStart, at).join(""));
      }
    }
    tests.push((code) => code >= low.code && code <= high);
  }
  const any: CharTest = (code) => tests.some((test) => test(code));
  const folded = ignoreCase ? caseless(any) : any;
  return { test: inverted ? negated(folded) : folded, length: at + 1 - begin };
}

/** A class inside of brackets: `[:alpha:]`, `\d`, `\pL`. */
function readNamed(chars: readonly string[], at: number): { test: CharTest; length: number } | undefined {
  if (chars[at] === "[" && chars[at + 1] === ":") {
    const parsed = /^\[:(\^?)([a-z]+):\]/.exec(chars.slice(at, at + 16).join(""));
    if (!parsed) return undefined;
    const test = POSIX[parsed[2]!];
    if (!test) throw new RegexpError("invalid character class range", parsed[0]);
    return { test: parsed[1] ? negated(test) : test, length: parsed[0].length };
  }
  if (chars[at] !== "\\") return undefined;
  const letter = chars[at + 1] ?? "";
  const perl = perlClass(letter);
  if (perl) return { test: perl, length: 2 };
  if (letter !== "p" && letter !== "P") return undefined;
  const { test, length } = unicodeClass(chars, at);
  return { test: letter === "P" ? negated(test) : test, length };
}

function readChar(chars: readonly string[], at: number, begin: number): { code: number; length: number } {
  const char = chars[at];
  if (char === undefined) throw new RegexpError("missing closing ]", chars.slice(begin).join(""));
  return char === "\\" ? parseEscape(chars, at) : { code: char.codePointAt(0)!, length: 1 };
}

/** The same letter in other cases. Foldings to several characters do not count. */
function otherCases(code: number): number[] {
  const char = String.fromCodePoint(code);
  const cases = [char.toLowerCase(), char.toUpperCase(), char.toUpperCase().toLowerCase()];
  return cases
    .map((other) => other.codePointAt(0)!)
    .filter((other, index) => other !== code && Array.from(cases[index]!).length === 1);
}

/** A class of ranges, each given by its first and last character. */
function inRanges(bounds: string): CharTest {
  const codes = Array.from(bounds, (char) => char.codePointAt(0)!);
  return (code) => {
    for (let i = 0; i < codes.length; i += 2) if (code >= codes[i]! && code <= codes[i + 1]!) return true;
    return false;
  };
}
