/** Checks the types of an expression and the rules that its syntax alone does not hold. */
import type { Binary, Call, Expression, ValueType, VectorSelector } from "./ast.ts";
import { ParseError } from "./errors.ts";
import { FUNCTIONS } from "./functions/registry.ts";
import { METRIC_NAME } from "./labels.ts";
import { AGGREGATIONS, isComparison, isSetOperator } from "./operators.ts";
import type { Span } from "./position.ts";
import { quote } from "./quote.ts";

/** The type of the expression's value. It must have been checked. */
export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "selector":
    case "aggregation":
      return "vector";
    case "range":
    case "subquery":
      return "matrix";
    case "call":
      return FUNCTIONS[expression.name]!.returns;
    case "unary":
    case "parentheses":
      return typeOf(expression.inner);
    case "binary":
      return typeOf(expression.left) === "scalar" && typeOf(expression.right) === "scalar"
        ? "scalar"
        : "vector";
  }
}

/** Checks the whole tree. Sets the cardinality of set operators. @throws ParseError */
export function checkTypes(text: string, root: Expression): void {
  const fail = (span: Span, reason: string): ParseError => new ParseError(text, span, reason);

  const check = (expression: Expression): ValueType => {
    switch (expression.kind) {
      case "aggregation": {
        expectType(expression.inner, "vector", "aggregation expression");
        const parameterType = AGGREGATIONS[expression.operator]!;
        if (parameterType !== "none")
          expectType(expression.parameter!, parameterType, "aggregation parameter");
        break;
      }
      case "binary":
        checkBinary(expression);
        break;
      case "call":
        checkCall(expression);
        break;
      case "parentheses":
        check(expression.inner);
        break;
      case "unary": {
        const type = check(expression.inner);
        if (type !== "scalar" && type !== "vector") {
          const allowed = "unary expression only allowed on expressions of type scalar or instant vector";
          throw fail(expression.span, `${allowed}, got "${nameOf(type)}"`);
        }
        break;
      }
      case "subquery": {
        const type = check(expression.inner);
        if (type !== "vector") {
          throw fail(expression.span, `subquery is only allowed on instant vector, got ${type} instead`);
        }
        break;
      }
      case "range":
        checkSelector(expression.selector);
        break;
      case "selector":
        checkSelector(expression);
    }
    return typeOf(expression);
  };

  const expectType = (expression: Expression, expected: ValueType, context: string): void => {
    const type = check(expression);
    if (type !== expected) {
      throw fail(expression.span, `expected type ${nameOf(expected)} in ${context}, got ${nameOf(type)}`);
    }
  };

  const checkBinary = (binary: Binary): void => {
    const { operator, left, right, matching, operatorSpan, span } = binary;
    const leftType = check(left);
    const rightType = check(right);
    if (binary.returnBool && !isComparison(operator)) {
      throw fail(operatorSpan, "bool modifier can only be used on comparison operators");
    }
    if (isComparison(operator) && !binary.returnBool && leftType === "scalar" && rightType === "scalar") {
      throw fail(operatorSpan, "comparisons between scalars must use BOOL modifier");
    }
    const both = matching.on ? matching.labels.find((label) => matching.include.includes(label)) : undefined;
    if (both !== undefined) {
      throw fail(operatorSpan, `label ${quote(both)} must not occur in ON and GROUP clause at once`);
    }
    for (const [type, side] of [[leftType, left] as const, [rightType, right] as const]) {
      if (type !== "scalar" && type !== "vector") {
        throw fail(side.span, "binary expression must contain only scalar and instant vector types");
      }
    }
    const hasScalar = leftType === "scalar" || rightType === "scalar";
    if (hasScalar && matching.labels.length > 0) {
      throw fail(span, "vector matching only allowed between instant vectors");
    }
    if (!isSetOperator(operator)) return;
    if (hasScalar)
      throw fail(span, `set operator ${quote(operator)} not allowed in binary scalar expression`);
    if (matching.cardinality !== "one-to-one" && matching.cardinality !== "many-to-many") {
      throw fail(span, `no grouping allowed for ${quote(operator)} operation`);
    }
    matching.cardinality = "many-to-many";
  };

  const checkCall = ({ name, args, span }: Call): void => {
    const { parameters, optional } = FUNCTIONS[name]!;
    const call = `argument(s) in call to ${quote(name)}, got ${args.length}`;
    const min = parameters.length - (optional === 0 ? 0 : 1);
    if (args.length < min) {
      throw fail(span, `expected ${optional === 0 ? "" : "at least "}${min} ${call}`);
    }
    if (args.length > min + optional) {
      throw fail(span, `expected ${optional === 0 ? "" : "at most "}${min + optional} ${call}`);
    }
    for (const [index, arg] of args.entries()) {
      expectType(arg, parameters[index] ?? parameters.at(-1)!, `call to function ${quote(name)}`);
    }
  };

  const checkSelector = ({ name, matchers, span }: VectorSelector): void => {
    if (name !== "") {
      const second = matchers.slice(0, -1).find((matcher) => matcher.name === METRIC_NAME);
      if (!second) return;
      const names = `${quote(name)} or ${quote(second.value)}`;
      throw fail(span, `metric name must not be set twice: ${names}`);
    }
    if (matchers.every((matcher) => matcher.matches(""))) {
      throw fail(span, "vector selector must contain at least one non-empty matcher");
    }
  };

  check(root);
}

/** The names of types in messages. */
function nameOf(type: ValueType): string {
  return type === "vector" ? "instant vector" : type === "matrix" ? "range vector" : type;
}
