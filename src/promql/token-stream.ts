/** The tokens of a query as the parser reads them, with the reading of literals and the making of errors. */
import { ParseError } from "./errors.ts";
import { tokenize } from "./lexer.ts";
import { MAX_DURATION_MS, parseDuration, parseNumber, unquote } from "./literals.ts";
import { type Matcher, type MatchOperator, makeMatcher } from "./matcher.ts";
import type { Span } from "./position.ts";
import { RegexpError } from "./regexp/escape.ts";
import { type Token, describeToken } from "./token.ts";
import { quote } from "./quote.ts";

export class TokenStream {
  readonly text: string;
  private readonly tokens: Token[];
  private index = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokenize(text);
  }

  /** The next token, or one further ahead, without reading it. @throws ParseError where the lexer failed. */
  peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)]!;
    if (token.error && ahead === 0) throw token.error;
    return token;
  }

  next(): Token {
    const token = this.peek();
    if (this.index < this.tokens.length - 1) this.index++;
    return token;
  }

  /** The token that was read last. */
  get last(): Token {
    return this.tokens[this.index - 1]!;
  }

  /** Reads the token if it is this one. */
  take(id: string): boolean {
    if (this.peek().id !== id) return false;
    this.next();
    return true;
  }

  expect(id: string): Token {
    if (this.peek().id !== id) throw this.unexpected();
    return this.next();
  }

  /** Reads a number, or a duration as its seconds. */
  number(): { value: number; span: Span } {
    const { type, text, span } = this.next();
    const durationMs = type === "duration" ? parseDuration(text) : undefined;
    const value = durationMs === undefined ? parseNumber(text) : durationMs / 1000;
    if (value !== undefined) return { value, span };
    const unit = /[a-z]{2,}/.exec(text.replaceAll("ms", ""))?.[0];
    const reason =
      type === "number"
        ? `error parsing number: value out of range: ${quote(text)}`
        : unit === undefined
          ? `not a valid duration string: ${quote(text)}`
          : `unknown unit ${quote(unit)} in duration ${quote(text)}`;
    throw this.fail(span, reason);
  }

  string(): string {
    return unquote(this.next().text);
  }

  /** Reads a duration in milliseconds. A number stands for seconds. Only an offset can be negative or zero. */
  duration(context: string, signed: boolean): number {
    const first = this.peek();
    const negative = first.id === "-";
    if (negative || first.id === "+") this.next();
    const { type, id } = this.peek();
    if (id === "(" || id === "step" || id === "range" || id === "max_of" || id === "min_of") {
      throw this.fail(first.span, "experimental duration expression is not enabled", true);
    }
    if (type !== "number" && type !== "duration")
      throw this.unexpected(context, "number, duration, step(), or range()");
    const { value, span } = this.number();
    const durationMs = Math.round((negative ? -value : value) * 1000);
    if (!(Math.abs(durationMs) < MAX_DURATION_MS)) throw this.fail(span, "duration out of range");
    if (!signed && /^[-+*/%^]$/.test(this.peek().id)) {
      throw this.fail(span, "experimental duration expression is not enabled", true);
    }
    if (!signed && durationMs <= 0) throw this.fail(first.span, "duration must be greater than 0");
    return durationMs;
  }

  matcher(name: string, operator: MatchOperator, value: string, span: Span): Matcher {
    try {
      return makeMatcher(name, operator, value);
    } catch (error) {
      if (error instanceof RegexpError) throw this.fail(span, error.message);
      throw error;
    }
  }

  /** An error about the next token. */
  unexpected(context = "", expected = ""): ParseError {
    const token = this.peek();
    const where = context && ` in ${context}`;
    const instead = expected && `, expected ${expected}`;
    return this.fail(token.span, `unexpected ${describeToken(token)}${where}${instead}`);
  }

  fail(span: Span, reason: string, experimental = false): ParseError {
    return new ParseError(this.text, span, reason, experimental);
  }
}
