/** Parses the clauses around operands: matchers, lists of labels, `by`, `on` and `group_left`. */
import type { Matching } from "./ast.ts";
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

/** Parses `by (…)` or `without (…)`, if it is there. */
export function parseGrouping(tokens: TokenStream): { labels: string[]; without: boolean } | undefined {
  const without = tokens.peek().id === "without";
  if (!without && tokens.peek().id !== "by") return undefined;
  tokens.next();
  return { labels: parseLabelList(tokens), without };
}

/** Parses what may stand behind a binary operator. */
export function parseBinaryModifiers(tokens: TokenStream): { returnBool: boolean; matching: Matching } {
  const returnBool = tokens.take("bool");
  const matching: Matching = { cardinality: "one-to-one", on: false, labels: [], include: [] };
  const on = tokens.take("on");
  if (on || tokens.take("ignoring")) {
    matching.on = on;
    matching.labels = parseLabelList(tokens);
    const left = tokens.take("group_left");
    if (left || tokens.take("group_right")) {
      matching.cardinality = left ? "many-to-one" : "one-to-many";
      if (tokens.peek().id === "(") matching.include = parseLabelList(tokens);
    }
  }
  const { id, span } = tokens.peek();
  if (id === "fill" || id === "fill_left" || id === "fill_right") {
    throw tokens.fail(span, "binop fill modifiers are experimental and not enabled", true);
  }
  return { returnBool, matching };
}
