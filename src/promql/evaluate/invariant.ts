/** Finds expressions that have the same value at every step, so that one evaluation serves them all. */
import { type Expression, childrenOf } from "../ast.ts";

/** Functions whose result depends on the time of the evaluation, whatever their arguments are. */
const TIMED = new Set(
  "days_in_month day_of_month day_of_week day_of_year hour minute month year predict_linear time timestamp".split(
    " ",
  ),
);

/** Only what `@` pins to a time. Literals change nothing either, but to repeat them is cheap. */
export function isStepInvariant(expression: Expression): boolean {
  return readsPinned(expression) && isConstant(expression);
}

function readsPinned(expression: Expression): boolean {
  if (expression.kind === "selector" || expression.kind === "subquery") return expression.at !== undefined;
  return childrenOf(expression).some(readsPinned);
}

function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case "number":
    case "string":
      return true;
    case "selector":
    case "subquery":
      return expression.at !== undefined;
    case "range":
      return expression.selector.at !== undefined;
    case "call":
      return !TIMED.has(expression.name) && expression.args.every(isConstant);
    case "aggregation":
    case "binary":
    case "unary":
    case "parentheses":
      return childrenOf(expression).every(isConstant);
  }
}
