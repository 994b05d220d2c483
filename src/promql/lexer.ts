/** Cuts a query into tokens. What counts as a token depends on the brackets around it. */
import { ParseError } from "./errors.ts";
import { AGGREGATIONS } from "./operators.ts";
import type { Span } from "./position.ts";
import { quote } from "./quote.ts";

export type TokenType =
  | "identifier"
  | "metric identifier"
  | "number"
  | "duration"
  | "string"
  | "aggregation"
  | "keyword"
  | "operator"
  | "punctuation"
  | "end"
  | "error";

export interface Token {
  type: TokenType;
  /** The name of the token: lower case for keywords, the character itself for punctuation. */
  id: string;
  text: string;
  span: Span;
  /** What is wrong with the text from here on. Only the last token can have it. */
  error?: ParseError;
}

const KEYWORDS = new Set(
  (
    "offset smoothed anchored by without on ignoring group_left group_right fill fill_left fill_right bool " +
    "start end step range max_of min_of"
  ).split(" "),
);
const WORD_OPERATORS = new Set(["and", "or", "unless", "atan2"]);
/** In this order, the first that fits is the longest. */
const OPERATORS = /==|!=|<=|<\/|<|>=|>\/|>|=(?!~)|[-+*/%^@,()]/y;
const IN_BRACES = /=~|!~|!=|=|,/y;
/** Takes `hs` for a unit too, so that the parser can say what is wrong with it. */
const DURATION = /\d+[smhdwy]s?(?:\d+[smhdw]s?)*(?!\w)/y;
const NUMBER = /0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?/y;
const WORD = /[A-Za-z_][\w]*/y;
const NAME = /[A-Za-z_:][\w:]*/y;
const BLANK = /[ \t\n\r]+|#[^\n\r]*/y;

/** Cuts the whole text. The last token is the end of input, or the error that ended the work. */
export function tokenize(text: string): Token[] {
  return new Lexer(text).run();
}

class Lexer {
  private position = 0;
  private readonly tokens: Token[] = [];
  private parentheses = 0;
  private inBraces = false;
  private inBrackets = false;

  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  run(): Token[] {
    try {
      this.lex();
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      this.tokens.push({ type: "error", id: "error", text: "", span: error.span!, error });
    }
    return this.tokens;
  }

  private lex(): void {
    while (this.position < this.text.length) {
      if (this.match(BLANK) !== undefined) continue;
      if (this.inBraces) this.lexInBraces();
      else if (this.inBrackets) this.lexInBrackets();
      else this.lexStatement();
    }
    if (this.inBraces) throw this.error("unexpected end of input inside braces");
    if (this.parentheses > 0) throw this.error("unclosed left parenthesis");
    if (this.inBrackets) {
      const inDuration = !this.followsNumber();
      throw this.error(
        inDuration ? "unexpected end of input in duration expression" : "unclosed left bracket",
      );
    }
    this.add("end", "", "");
  }

  private lexStatement(): void {
    const char = this.text[this.position]!;
    if (/[0-9]/.test(char) || (char === "." && /[0-9]/.test(this.text[this.position + 1] ?? "")))
      return this.lexNumber();
    if (char === '"' || char === "'" || char === "`") return this.lexString(char);
    const name = this.match(NAME);
    if (name !== undefined) return this.addWord(name);
    if (char === "{") {
      this.inBraces = true;
      return this.addPunctuation();
    }
    if (char === "[") {
      this.inBrackets = true;
      return this.addPunctuation();
    }
    if (char === "]") throw this.error(`unexpected right bracket '${char}'`);
    const operator = this.match(OPERATORS);
    if (operator !== undefined) return this.addOperator(operator);
    const next = this.charAt(this.position + 1);
    if (char === "=") throw this.error(`unexpected character after '=': ${next}`);
    if (char === "!") throw this.error(`unexpected character after '!': ${next}`);
    throw this.error(`unexpected character: ${this.charAt(this.position)}`);
  }

  private lexInBraces(): void {
    const char = this.text[this.position]!;
    const word = this.match(WORD);
    if (word !== undefined) return this.add("identifier", word, "identifier");
    if (char === '"' || char === "'" || char === "`") return this.lexString(char);
    const operator = this.match(IN_BRACES);
    if (operator !== undefined)
      return this.add(/^[,=]$/.test(operator) ? "punctuation" : "operator", operator, operator);
    if (char === "{") throw this.error("unexpected left brace '{'");
    if (char === "!")
      throw this.error(`unexpected character after '!' inside braces: ${this.charAt(this.position + 1)}`);
    if (char !== "}") throw this.error(`unexpected character inside braces: ${this.charAt(this.position)}`);
    this.inBraces = false;
    this.addPunctuation();
  }

  private lexInBrackets(): void {
    const char = this.text[this.position]!;
    if (/[0-9.]/.test(char)) return this.lexNumber();
    if (/[A-Za-z_]/.test(char)) {
      if (this.followsNumber()) throw this.error(`unexpected character: '${char}', expected ':'`);
      const begin = this.position;
      const word = this.match(WORD)!;
      if (KEYWORDS.has(word.toLowerCase())) return this.addWord(word);
      throw this.error(`unexpected character in duration expression: '${char}'`, begin);
    }
    if (char === "]") this.inBrackets = false;
    if (/[\]:]/.test(char)) return this.addPunctuation();
    if (char === "[") throw this.error("unexpected left bracket '['");
    const operator = /[-+*/%^(),]/.test(char) ? this.match(OPERATORS) : undefined;
    if (operator === undefined)
      throw this.error(`unexpected character in duration expression: ${this.charAt(this.position)}`);
    this.addOperator(operator);
  }

  private lexNumber(): void {
    const begin = this.position;
    const duration = this.match(DURATION);
    if (duration !== undefined) return this.add("duration", duration, "duration");
    const number = this.match(NUMBER) ?? "";
    if (/^[\w.]/.test(this.text.slice(this.position)) || /_$|_[._eE]|[._eE]_|^0[xX]$/.test(number)) {
      const wrong = /^(?:[smhdwy]s?)?[\w.]?/.exec(this.text.slice(this.position))![0];
      throw this.error(`bad number or duration syntax: ${quote(number + wrong)}`, begin);
    }
    this.add("number", number, "number");
  }

  private lexString(quote: string): void {
    const begin = this.position;
    for (let at = begin + 1; ; at++) {
      const char = this.text[at];
      if (char === undefined && quote === "`") throw this.error("unterminated raw string", begin);
      if (char === undefined || (char === "\n" && quote !== "`"))
        throw this.error("unterminated quoted string", begin);
      if (char === quote) {
        this.position = at + 1;
        break;
      }
      if (char !== "\\" || quote === "`") continue;
      const escape =
        /[abfnrtv\\]|[0-3][0-7]{2}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U00(?:0[\da-fA-F]|10)[\da-fA-F]{4}/y;
      escape.lastIndex = at + 1;
      const found = this.text[at + 1] === quote ? quote : escape.exec(this.text)?.[0];
      if (found === undefined) throw this.error(this.escapeFault(at + 1), begin);
      at += found.length;
    }
    this.add("string", this.text.slice(begin, this.position), "string");
  }

  /** Whether the last token is a number or duration. */
  private followsNumber(): boolean {
    const type = this.tokens.at(-1)?.type;
    return type === "number" || type === "duration";
  }

  private escapeFault(at: number): string {
    const kind = this.text[at];
    if (kind === undefined) return "escape sequence not terminated";
    const digits =
      { x: /[\da-fA-F]/, u: /[\da-fA-F]/, U: /[\da-fA-F]/ }[kind] ??
      (/[0-7]/.test(kind) ? /[0-7]/ : undefined);
    if (!digits) return `unknown escape sequence ${codePoint(this.text, at)}`;
    let wrong = at + 1;
    while (digits.test(this.text[wrong] ?? "")) wrong++;
    if (wrong >= this.text.length) return "escape sequence not terminated";
    return `illegal character ${codePoint(this.text, wrong)} in escape sequence`;
  }

  private addWord(word: string): void {
    const lower = word.toLowerCase();
    if (lower === "inf" || lower === "nan") this.add("number", word, "number");
    else if (AGGREGATIONS[lower] !== undefined) this.add("aggregation", word, lower);
    else if (WORD_OPERATORS.has(lower)) this.add("operator", word, lower);
    // A metric may have the name of these modifiers, so they are keywords before a parenthesis only.
    else if (lower.startsWith("fill") && !/^\s*\(/.test(this.text.slice(this.position))) {
      this.add("identifier", word, "identifier");
    } else if (KEYWORDS.has(lower)) this.add("keyword", word, lower);
    else this.add(word.includes(":") ? "metric identifier" : "identifier", word, "identifier");
  }

  private addOperator(operator: string): void {
    if (operator === "(") this.parentheses++;
    if (operator === ")" && --this.parentheses < 0) throw this.error("unexpected right parenthesis ')'");
    this.add(/^[(),=]$/.test(operator) ? "punctuation" : "operator", operator, operator);
  }

  private addPunctuation(): void {
    const char = this.text[this.position++]!;
    this.add("punctuation", char, char);
  }

  private add(type: TokenType, text: string, id: string): void {
    this.tokens.push({ type, id, text, span: { start: this.position - text.length, end: this.position } });
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.position += found.length;
    return found;
  }

  private charAt(at: number): string {
    const code = this.text.codePointAt(at);
    return code === undefined ? "end of input" : `'${String.fromCodePoint(code)}'`;
  }

  private error(reason: string, start = this.position): ParseError {
    return new ParseError(this.text, { start, end: this.text.length }, reason);
  }
}

function codePoint(text: string, at: number): string {
  const code = text.codePointAt(at) ?? 0;
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")} '${String.fromCodePoint(code)}'`;
}

/** How messages name a token. */
export function describeToken({ type, text }: Token): string {
  switch (type) {
    case "end":
    case "error":
      return "end of input";
    case "identifier":
    case "metric identifier":
      return `${type} ${quote(text)}`;
    case "number":
    case "duration":
    case "string":
      return `${type} ${text.length > 10 ? `${quote(text.slice(0, 10))}...` : quote(text)}`;
    case "keyword":
      return `<${text}>`;
    case "aggregation":
      return `<aggr:${text}>`;
    case "operator":
      return `<op:${text}>`;
    case "punctuation":
      return quote(text);
  }
}
