/** Writes the tree of a query as `/api/v1/parse_query` answers it. */
import type { AtModifier, Expression, Matching, VectorSelector } from "../../promql/ast.ts";
import { FUNCTIONS } from "../../promql/functions/registry.ts";
import { isSetOperator } from "../../promql/operators.ts";
import { formatValue } from "../../promql/numbers.ts";
import { typeOf } from "../../promql/check.ts";

export function treeOf(expression: Expression): object {
  switch (expression.kind) {
    case "number":
      return { type: "numberLiteral", val: formatValue(expression.value) };
    case "string":
      return { type: "stringLiteral", val: expression.value };
    case "parentheses":
      return { type: "parenExpr", expr: treeOf(expression.inner) };
    case "unary":
      return { type: "unaryExpr", op: expression.operator, expr: treeOf(expression.inner) };
    case "selector":
      return { type: "vectorSelector", ...selectorOf(expression) };
    case "range":
      return { type: "matrixSelector", ...selectorOf(expression.selector), range: expression.rangeMs };
    case "subquery": {
      const { inner, rangeMs, stepMs } = expression;
      return { type: "subquery", expr: treeOf(inner), range: rangeMs, step: stepMs, ...timesOf(expression) };
    }
    case "call": {
      const { name, args } = expression;
      const { parameters, optional, returns } = FUNCTIONS[name]!;
      const func = { name, argTypes: parameters, variadic: optional, returnType: returns };
      return { type: "call", func, args: args.map(treeOf) };
    }
    case "aggregation": {
      const { operator: op, inner, parameter, labels: grouping, without } = expression;
      const param = parameter ? treeOf(parameter) : null;
      return { type: "aggregation", op, expr: treeOf(inner), param, grouping, without };
    }
    case "binary": {
      const { operator: op, left, right, returnBool: bool, matching } = expression;
      const areVectors = typeOf(left) === "vector" && typeOf(right) === "vector";
      return {
        type: "binaryExpr",
        op,
        lhs: treeOf(left),
        rhs: treeOf(right),
        matching: areVectors ? matchingOf(matching, op) : null,
        bool,
      };
    }
  }
}

function matchingOf({ cardinality, labels, on, include }: Matching, operator: string): object {
  return { card: isSetOperator(operator) ? "many-to-many" : cardinality, labels, on, include };
}

function selectorOf(selector: VectorSelector): object {
  const matchers = selector.matchers.map(({ name, operator, value }) => ({ name, value, type: operator }));
  return { name: selector.name, matchers, ...timesOf(selector) };
}

function timesOf({ offsetMs, at }: { offsetMs: number; at: AtModifier | undefined }): object {
  return {
    offset: offsetMs,
    timestamp: typeof at === "number" ? at : null,
    startOrEnd: typeof at === "string" ? at : null,
  };
}
