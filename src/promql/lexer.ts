/** Cuts a query into tokens. What counts as a token depends on the brackets around it. */
import { ParseError } from "./errors.ts";
import { AGGREGATIONS } from "./operators.ts";
import { quote } from "./quote.ts";
import type { Token, TokenType } from "./token.ts";

const KEYWORDS = new Set(
  (
    "offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool " +
    "start end step range max_of min_of"
  ).split(" "),
);
const WORD_OPERATORS = new Set(["and", "or", "unless", "atan2"]);

const BLANK = /[ \t\n\r]+|#[^\n\r]*/y;
/** Takes `hs` for a unit too, so that the parser can say what is wrong with it. */
const DURATION = String.raw`(?<duration>\d+[smhdwy]s?(?:\d+[smhdw]s?)*(?!\w))`;
const DIGITS = String.raw`\d+(?:_\d+)*`;
const NUMBER = String.raw`(?<number>(?:0[xX]_?[\da-fA-F]+(?:_[\da-fA-F]+)*|(?:${DIGITS}\.?(?:${DIGITS})?|\.${DIGITS})(?:[eE][+-]?${DIGITS})?)(?![\w.]))`;
const ESCAPE = String.raw`\\(?:[abfnrtv\\"']|[0-3][0-7]{2}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U00(?:0[\da-fA-F]|10)[\da-fA-F]{4})`;
const STRING = String.raw`(?<string>"(?:[^"\\\n]|${ESCAPE})*"|'(?:[^'\\\n]|${ESCAPE})*'|${"`[^`]*`"})`;

const modeOf = (...alternatives: string[]): RegExp => new RegExp(alternatives.join("|"), "y");

const STATEMENT = modeOf(
  DURATION,
  NUMBER,
  STRING,
  String.raw`(?<word>[A-Za-z_:][\w:]*)`,
  String.raw`(?<operator>==|!=|<=|<\/|<|>=|>\/|>|[-+*/%^@])`,
  String.raw`(?<punctuation>[(){,[]|=(?!~))`,
);
const IN_BRACES = modeOf(
  STRING,
  String.raw`(?<identifier>[A-Za-z_]\w*)`,
  "(?<operator>=~|!~|!=)",
  "(?<punctuation>[=,}])",
);
const IN_BRACKETS = modeOf(
  DURATION,
  NUMBER,
  String.raw`(?<word>(?:step|range|max_of|min_of)(?!\w))`,
  "(?<operator>[-+*/%^])",
  String.raw`(?<punctuation>[(),:\]])`,
);

/** Cuts the whole text. The last token is the end of input, or the error that ended the work. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  let parentheses = 0;
  let mode = STATEMENT;

  const add = (type: TokenType, id: string, end: number): void => {
    tokens.push({ type, id, text: text.slice(position, end), span: { start: position, end } });
    position = end;
  };

  /** Ends the work with an error, from here on or from another place. */
  const fail = (reason: string, start = position): Token[] => {
    const error = new ParseError(text, { start, end: text.length }, reason);
    tokens.push({ type: "error", id: "error", text: "", span: error.span!, error });
    return tokens;
  };

  while (position < text.length) {
    const blank = matchAt(BLANK, text, position);
    if (blank) {
      position += blank[0].length;
      continue;
    }
    const found = matchAt(mode, text, position);
    if (!found) return fail(explain(text, position, mode, followsNumber(tokens)));
    const [part] = found;
    const end = position + part.length;
    const { punctuation, word, operator } = found.groups!;
    if (word !== undefined) {
      const lower = word.toLowerCase();
      const type = typeOfWord(lower, text.slice(end));
      add(type, /identifier|number/.test(type) ? type : lower, end);
    } else if (punctuation !== undefined) {
      if (part === "(") parentheses++;
      if (part === ")" && --parentheses < 0) return fail("unexpected right parenthesis ')'", end);
      add("punctuation", part, end);
      if (part === "{") mode = IN_BRACES;
      else if (part === "[") mode = IN_BRACKETS;
      else if (/[}\]]/.test(part)) mode = STATEMENT;
    } else if (operator !== undefined) add("operator", part, end);
    else {
      const type = (["duration", "number", "string", "identifier"] as const).find(
        (name) => found.groups![name],
      )!;
      add(type, type, end);
    }
  }
  if (mode === IN_BRACES) return fail("unexpected end of input inside braces");
  if (parentheses > 0) return fail("unclosed left parenthesis");
  if (mode === IN_BRACKETS) {
    return fail(
      followsNumber(tokens) ? "unclosed left bracket" : "unexpected end of input in duration expression",
    );
  }
  add("end", "", position);
  return tokens;
}

function matchAt(pattern: RegExp, text: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

function typeOfWord(word: string, rest: string): TokenType {
  if (word === "inf" || word === "nan") return "number";
  if (AGGREGATIONS[word] !== undefined) return "aggregation";
  if (WORD_OPERATORS.has(word)) return "operator";
  // A metric may have the name of these modifiers, so they are keywords before a parenthesis only.
  if (KEYWORDS.has(word) && (!word.startsWith("fill") || /^\s*\(/.test(rest))) return "keyword";
  return word.includes(":") ? "metric identifier" : "identifier";
}

const followsNumber = (tokens: readonly Token[]): boolean =>
  /number|duration/.test(tokens.at(-1)?.type ?? "");

/** What is wrong with the text at a place where no token begins. */
function explain(text: string, position: number, mode: RegExp, afterNumber: boolean): string {
  const charAt = (at: number): string => {
    const code = text.codePointAt(at);
    return code === undefined ? "end of input" : `'${String.fromCodePoint(code)}'`;
  };
  const char = text[position]!;
  const here = charAt(position);
  if (/["'`]/.test(char) && mode !== IN_BRACKETS) return explainString(text, position, char);
  if (mode !== IN_BRACES && /^\.?\d/.test(text.slice(position))) {
    const [wrong] = /^(?:0[xX][\w]*|[\d_]*\.?[\d_]*(?:[eE][+-]?\d*)?)(?:[smhdwy]s?)?[\w.]?/.exec(
      text.slice(position),
    )!;
    return `bad number or duration syntax: ${quote(wrong)}`;
  }
  if (mode === IN_BRACES) {
    if (char === "{") return "unexpected left brace '{'";
    if (char === "!") return `unexpected character after '!' inside braces: ${charAt(position + 1)}`;
    return `unexpected character inside braces: ${here}`;
  }
  if (mode === IN_BRACKETS) {
    if (char === "[") return "unexpected left bracket '['";
    const isWord = /[A-Za-z_]/.test(char);
    if (afterNumber && isWord) return `unexpected character: ${here}, expected ':'`;
    return `unexpected character in duration expression: ${here}`;
  }
  if (char === "]") return "unexpected right bracket ']'";
  if (char === "=" || char === "!") return `unexpected character after '${char}': ${charAt(position + 1)}`;
  return `unexpected character: ${here}`;
}

function explainString(text: string, begin: number, opening: string): string {
  const [known] = matchAt(new RegExp(`.(?:[^${opening}\\\\\\n]|${ESCAPE})*`, "sy"), text, begin)!;
  const at = begin + known.length;
  if (opening === "`") return "unterminated raw string";
  if (text[at] !== "\\") return "unterminated quoted string";
  const kind = text[at + 1];
  const digits =
    kind === undefined
      ? undefined
      : /[xuU]/.test(kind)
        ? /[\da-fA-F]/
        : /[0-7]/.test(kind)
          ? /[0-7]/
          : undefined;
  if (kind !== undefined && !digits) return `unknown escape sequence ${codePoint(text, at + 1)}`;
  let wrong = at + 2;
  while (digits?.test(text[wrong] ?? "")) wrong++;
  if (wrong >= text.length) return "escape sequence not terminated";
  return `illegal character ${codePoint(text, wrong)} in escape sequence`;
}

function codePoint(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${String.fromCodePoint(code)}'`;
}
