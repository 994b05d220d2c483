/** Parses label matchers in braces and lists of label names in parentheses. */
import { METRIC_NAME, isLabelName } from "./labels.ts";
import type { Matcher, MatchOperator } from "./matcher.ts";
import { joinSpans } from "./position.ts";
import type { TokenStream } from "./token-stream.ts";
import { quote } from "./quote.ts";

/** Parses `{name="value", "quoted.name"=~"…", "metric name"}`. */
export function parseMatchers(tokens: TokenStream): Matcher[] {
  tokens.expect("{");
  const matchers: Matcher[] = [];
  while (!tokens.take("}")) {
    matchers.push(parseMatcher(tokens));
    const { id } = tokens.peek();
    if (id !== "," && id !== "}") throw tokens.unexpected("label matching", '"," or "}"');
    tokens.take(",");
  }
  return matchers;
}

function parseMatcher(tokens: TokenStream): Matcher {
  const label = tokens.peek();
  if (label.type !== "identifier" && label.type !== "string") {
    throw tokens.unexpected("label matching", 'identifier or "}"');
  }
  const name = label.type === "string" ? tokens.string() : tokens.next().text;
  const { id } = tokens.peek();
  if (id !== "=" && id !== "!=" && id !== "=~" && id !== "!~") {
    // A quoted text alone is the name of the metric.
    if (label.type === "string") return tokens.matcher(METRIC_NAME, "=", name, label.span);
    throw tokens.unexpected("label matching", "label matching operator");
  }
  const operator: MatchOperator = id;
  tokens.next();
  const value = tokens.peek();
  if (value.type !== "string") throw tokens.unexpected("label matching", "string");
  return tokens.matcher(name, operator, tokens.string(), joinSpans(label.span, value.span));
}

/** Parses `(a, b, "quoted.name")`. */
export function parseLabelList(tokens: TokenStream): string[] {
  if (tokens.peek().id !== "(") throw tokens.unexpected("grouping opts", '"("');
  tokens.next();
  const names: string[] = [];
  while (!tokens.take(")")) {
    const { type, text, span } = tokens.peek();
    const isName = /^[A-Za-z_:][\w:]*$/.test(text) && type !== "number";
    if (type !== "string" && !isName) throw tokens.unexpected("grouping opts", "label");
    const name = type === "string" ? tokens.string() : tokens.next().text;
    if (!isLabelName(name)) {
      throw tokens.fail(span, `invalid label name for grouping: ${quote(name)}`);
    }
    names.push(name);
    const { id } = tokens.peek();
    if (id !== "," && id !== ")") throw tokens.unexpected("grouping opts", '"," or ")"');
    tokens.take(",");
  }
  return names;
}
