/** Parses a query into its tree: a Pratt parser, with the error messages of Prometheus. */
import type { Expression } from "./ast.ts";
import { checkTypes } from "./check.ts";
import { ParseError } from "./errors.ts";
import { EXPERIMENTAL_FUNCTIONS, FUNCTIONS } from "./functions/registry.ts";
import { METRIC_NAME } from "./labels.ts";
import { applyAt, applyOffset, parseAt } from "./modifiers.ts";
import {
  AGGREGATIONS,
  type AggregationOperator,
  EXPERIMENTAL_AGGREGATIONS,
  PRECEDENCE,
  UNARY_PRECEDENCE,
} from "./operators.ts";
import { parseBinaryModifiers, parseGrouping, parseMatchers } from "./clauses.ts";
import { joinSpans } from "./position.ts";
import type { Token } from "./token.ts";
import { TokenStream } from "./token-stream.ts";
import { quote } from "./quote.ts";

export interface ParseLimits {
  /** The longest query, in UTF-16 code units. */
  maxLength?: number;
  /** How deep expressions may nest. */
  maxDepth?: number;
}

export const DEFAULT_PARSE_LIMITS: Required<ParseLimits> = { maxLength: 32 * 1024, maxDepth: 100 };

/**
 * Parses a query and checks its types.
 *
 * @throws ParseError with the position of the first error. Its `experimental` says that Prometheus knows the syntax
 * as an experimental feature, which this engine does not have.
 */
export function parse(text: string, limits: ParseLimits = {}): Expression {
  const { maxLength, maxDepth } = { ...DEFAULT_PARSE_LIMITS, ...limits };
  if (text.length > maxLength) {
    const reason = `the query has ${text.length} characters, but at most ${maxLength} are allowed`;
    throw new ParseError(text, { start: 0, end: text.length }, reason);
  }
  const expression = new Parser(text, maxDepth).parse();
  checkTypes(text, expression);
  return expression;
}

/** Parses a selector without range and modifiers, as in the parameter `match[]`. @throws ParseError */
export function parseSelector(text: string, limits: ParseLimits = {}): Expression & { kind: "selector" } {
  const expression = parse(text, limits);
  if (expression.kind === "selector" && expression.at === undefined && expression.offsetMs === 0)
    return expression;
  throw new ParseError(text, expression.span, "expected a vector selector without modifiers");
}

/** Chains of operators make the tree deep, too. The call stack bears more than this. */
const MAX_OPERATORS = 500;

/** Keywords that can be names of metrics too. */
const METRIC_KEYWORDS = new Set(
  (
    "by offset without start end step range anchored smoothed max_of min_of fill fill_left fill_right " +
    "and or unless"
  ).split(" "),
);

/** Keywords that are names of functions too, all of them experimental. */
const CALLABLE = new Set("start end step range max_of min_of".split(" "));

class Parser {
  private readonly tokens: TokenStream;
  private readonly maxDepth: number;
  private depth = 0;
  private operators = 0;

  constructor(text: string, maxDepth: number) {
    this.tokens = new TokenStream(text);
    this.maxDepth = maxDepth;
  }

  parse(): Expression {
    if (this.tokens.peek().type === "end") {
      throw this.tokens.fail({ start: 0, end: 0 }, "no expression found in input");
    }
    const expression = this.expression(0);
    if (this.tokens.peek().type !== "end") throw this.tokens.unexpected();
    return expression;
  }

  /** An expression whose operators all bind stronger than `precedence`. */
  private expression(precedence: number): Expression {
    if (++this.depth > this.maxDepth) {
      throw this.tokens.fail(this.tokens.peek().span, `expressions nest deeper than ${this.maxDepth}`);
    }
    let left = this.unary();
    for (;;) {
      const operator = this.tokens.peek();
      const strength = operator.type === "operator" ? (PRECEDENCE[operator.id] ?? 0) : 0;
      if (strength <= precedence) break;
      if (++this.operators > MAX_OPERATORS) {
        throw this.tokens.fail(operator.span, `the query has more than ${MAX_OPERATORS} operators`);
      }
      this.tokens.next();
      const modifiers = parseBinaryModifiers(this.tokens);
      const right = this.expression(operator.id === "^" ? strength - 1 : strength);
      left = {
        kind: "binary",
        operator: operator.id,
        left,
        right,
        ...modifiers,
        operatorSpan: operator.span,
        span: joinSpans(left.span, right.span),
      };
    }
    this.depth--;
    return left;
  }

  private unary(): Expression {
    const sign = this.tokens.peek();
    if (sign.id !== "-" && sign.id !== "+") return this.postfix(this.primary());
    this.tokens.next();
    const inner = this.expression(UNARY_PRECEDENCE);
    const span = joinSpans(sign.span, inner.span);
    if (inner.kind === "number")
      return { ...inner, value: sign.id === "-" ? -inner.value : inner.value, span };
    return { kind: "unary", operator: sign.id, inner, span };
  }

  private primary(): Expression {
    const token = this.tokens.peek();
    switch (token.type) {
      case "number":
      case "duration":
        return { kind: "number", ...this.tokens.number(), isDuration: token.type === "duration" };
      case "string":
        return { kind: "string", value: this.tokens.string(), span: token.span };
      case "aggregation":
        if (this.isAggregation()) return this.aggregation();
        break;
      case "identifier":
      case "keyword":
        if (this.tokens.peek(1).id === "(" && (token.type === "identifier" || CALLABLE.has(token.id)))
          return this.call();
        break;
    }
    if (token.id === "{") return this.selector(undefined);
    if (token.id === "(") return this.parentheses();
    const isName =
      token.type === "identifier" || token.type === "metric identifier" || token.type === "aggregation";
    if (isName || METRIC_KEYWORDS.has(token.id)) return this.selector(this.tokens.next());
    throw this.tokens.unexpected();
  }

  private parentheses(): Expression {
    const open = this.tokens.next();
    const inner = this.expression(0);
    const close = this.tokens.expect(")");
    return { kind: "parentheses", inner, span: joinSpans(open.span, close.span) };
  }

  private selector(name: Token | undefined): Expression {
    const first = name ?? this.tokens.peek();
    const matchers = this.tokens.peek().id === "{" ? parseMatchers(this.tokens) : [];
    const span = joinSpans(first.span, this.tokens.last.span);
    if (name) matchers.push(this.tokens.matcher(METRIC_NAME, "=", name.text, name.span));
    return { kind: "selector", name: name?.text ?? "", matchers, offsetMs: 0, at: undefined, span };
  }

  private call(): Expression {
    const name = this.tokens.next();
    const args = this.arguments();
    const span = joinSpans(name.span, this.tokens.last.span);
    if (EXPERIMENTAL_FUNCTIONS.has(name.text)) {
      throw this.tokens.fail(name.span, `function ${quote(name.text)} is not enabled`, true);
    }
    if (!Object.hasOwn(FUNCTIONS, name.text)) {
      throw this.tokens.fail(name.span, `unknown function with name ${quote(name.text)}`);
    }
    return { kind: "call", name: name.text, args, span };
  }

  private arguments(): Expression[] {
    this.tokens.expect("(");
    const args: Expression[] = [];
    while (!this.tokens.take(")")) {
      args.push(this.expression(0));
      const comma = this.tokens.peek();
      if (this.tokens.take(",")) {
        if (this.tokens.peek().id === ")") {
          throw this.tokens.fail(comma.span, "trailing commas not allowed in function call args");
        }
      } else if (this.tokens.peek().id !== ")") throw this.tokens.unexpected();
    }
    return args;
  }

  /** Without an operand after it, the name of an aggregation is the name of a metric. */
  private isAggregation(): boolean {
    const { id } = this.tokens.peek(1);
    return id === "(" || id === "by" || id === "without";
  }

  private aggregation(): Expression {
    const name = this.tokens.next();
    const before = parseGrouping(this.tokens);
    if (this.tokens.peek().id !== "(") throw this.tokens.unexpected("aggregation");
    const args = this.arguments();
    const { labels, without } = before ?? parseGrouping(this.tokens) ?? { labels: [], without: false };
    const span = joinSpans(name.span, this.tokens.last.span);
    if (args.length === 0) throw this.tokens.fail(span, "no arguments for aggregate expression provided");
    if (EXPERIMENTAL_AGGREGATIONS.includes(name.id)) {
      const hint = "is experimental and must be enabled with --enable-feature=promql-experimental-functions";
      throw this.tokens.fail(span, `${name.id}() ${hint}`, true);
    }
    const expected = AGGREGATIONS[name.id] === "none" ? 1 : 2;
    if (args.length !== expected) {
      const reason = "wrong number of arguments for aggregate expression provided";
      throw this.tokens.fail(span, `${reason}, expected ${expected}, got ${args.length}`);
    }
    const parameter = expected === 2 ? args[0] : undefined;
    // The experimental ones are refused above.
    const operator = name.id as AggregationOperator;
    return { kind: "aggregation", operator, inner: args.at(-1)!, parameter, labels, without, span };
  }

  /** Reads what may follow an operand: a range, `offset` and `@`. */
  private postfix(operand: Expression): Expression {
    let expression = operand;
    for (;;) {
      const { id, span } = this.tokens.peek();
      if (id === "[") expression = this.range(expression);
      else if (id === "offset") {
        this.tokens.next();
        expression = applyOffset(this.tokens, expression, this.tokens.duration("offset", true));
      } else if (id === "@") {
        this.tokens.next();
        expression = applyAt(this.tokens, expression, parseAt(this.tokens, expression));
      } else if (id === "anchored" || id === "smoothed") {
        throw this.tokens.fail(span, `${id} modifier is experimental and not enabled`, true);
      } else return expression;
    }
  }

  private range(operand: Expression): Expression {
    const open = this.tokens.next();
    const rangeMs = this.tokens.duration("subquery or range selector", false);
    if (this.tokens.take(":")) {
      const stepMs = this.tokens.peek().id === "]" ? 0 : this.tokens.duration("subquery selector", false);
      if (this.tokens.peek().id !== "]") throw this.tokens.unexpected("subquery selector", '"]"');
      const span = joinSpans(operand.span, this.tokens.next().span);
      return { kind: "subquery", inner: operand, rangeMs, stepMs, offsetMs: 0, at: undefined, span };
    }
    if (this.tokens.peek().id !== "]") throw this.tokens.unexpected("subquery or range", '":" or "]"');
    const close = this.tokens.next();
    const brackets = joinSpans(open.span, close.span);
    if (operand.kind !== "selector")
      throw this.tokens.fail(brackets, "ranges only allowed for vector selectors");
    if (operand.offsetMs !== 0) throw this.tokens.fail(brackets, "no offset modifiers allowed before range");
    if (operand.at !== undefined) throw this.tokens.fail(brackets, "no @ modifiers allowed before range");
    return { kind: "range", selector: operand, rangeMs, span: joinSpans(operand.span, close.span) };
  }
}
