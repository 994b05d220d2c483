/** The tokens of a query. */
import type { ParseError } from "./errors.ts";
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
