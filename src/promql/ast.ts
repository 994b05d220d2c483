/** The tree of a parsed query. */
import type { Matcher } from "./matcher.ts";
import type { AggregationOperator } from "./operators.ts";
import type { Span } from "./position.ts";

export type ValueType = "scalar" | "string" | "vector" | "matrix";

/** Where `@` pins an evaluation: to a time in milliseconds, or to an end of the query's range. */
export type AtModifier = number | "start" | "end";

export interface NumberLiteral {
  kind: "number";
  value: number;
  /** Whether it was written as a duration, such as `5m`. */
  isDuration: boolean;
  span: Span;
}

export interface StringLiteral {
  kind: "string";
  value: string;
  span: Span;
}

export interface VectorSelector {
  kind: "selector";
  /** The metric name before the braces, or "". The matchers contain it too, as the last one. */
  name: string;
  matchers: Matcher[];
  offsetMs: number;
  at: AtModifier | undefined;
  span: Span;
}

export interface MatrixSelector {
  kind: "range";
  selector: VectorSelector;
  rangeMs: number;
  span: Span;
}

export interface Subquery {
  kind: "subquery";
  inner: Expression;
  rangeMs: number;
  /** 0 stands for the default. */
  stepMs: number;
  offsetMs: number;
  at: AtModifier | undefined;
  span: Span;
}

export interface Call {
  kind: "call";
  name: string;
  args: Expression[];
  span: Span;
}

export interface Aggregation {
  kind: "aggregation";
  operator: AggregationOperator;
  inner: Expression;
  parameter: Expression | undefined;
  labels: string[];
  without: boolean;
  span: Span;
}

export type Cardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

export interface Matching {
  cardinality: Cardinality;
  /** True for `on`, false for `ignoring`. */
  on: boolean;
  labels: string[];
  /** The labels that `group_left` or `group_right` copies from the "one" side. */
  include: string[];
}

export interface Binary {
  kind: "binary";
  operator: string;
  left: Expression;
  right: Expression;
  returnBool: boolean;
  matching: Matching;
  operatorSpan: Span;
  span: Span;
}

export interface Unary {
  kind: "unary";
  operator: "+" | "-";
  inner: Expression;
  span: Span;
}

export interface Parentheses {
  kind: "parentheses";
  inner: Expression;
  span: Span;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Unary
  | Parentheses;

/** The direct parts of an expression, in the order of the text. */
export function childrenOf(expression: Expression): Expression[] {
  switch (expression.kind) {
    case "number":
    case "string":
    case "selector":
      return [];
    case "range":
      return [expression.selector];
    case "subquery":
    case "unary":
    case "parentheses":
      return [expression.inner];
    case "call":
      return expression.args;
    case "aggregation":
      return expression.parameter ? [expression.parameter, expression.inner] : [expression.inner];
    case "binary":
      return [expression.left, expression.right];
  }
}

/** The expression inside of any parentheses around it. */
export function unwrap(expression: Expression): Expression {
  let inner = expression;
  while (inner.kind === "parentheses") inner = inner.inner;
  return inner;
}
