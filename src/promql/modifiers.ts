/** Applies `offset` and `@` to the selector or subquery before them. */
import type { AtModifier, Expression, Subquery, VectorSelector } from "./ast.ts";
import { formatGeneral } from "./numbers.ts";
import { joinSpans } from "./position.ts";
import type { TokenStream } from "./token-stream.ts";

const OPERANDS = "must be preceded by an instant vector selector or range vector selector or a subquery";

export function applyOffset(tokens: TokenStream, operand: Expression, offsetMs: number): Expression {
  const target = targetOf(operand);
  if (!target) throw tokens.fail(operand.span, `offset modifier ${OPERANDS}`);
  if (target.offsetMs !== 0) throw tokens.fail(operand.span, "offset may not be set multiple times");
  target.offsetMs = offsetMs;
  return extend(tokens, operand);
}

export function applyAt(tokens: TokenStream, operand: Expression, at: AtModifier): Expression {
  const target = targetOf(operand);
  if (!target) throw tokens.fail(operand.span, `@ modifier ${OPERANDS}`);
  if (target.at !== undefined) throw tokens.fail(operand.span, "@ <timestamp> may not be set multiple times");
  target.at = at;
  return extend(tokens, operand);
}

/** Parses what follows `@`: a time in seconds, `start()` or `end()`. */
export function parseAt(tokens: TokenStream, operand: Expression): AtModifier {
  const { id } = tokens.peek();
  if (id === "start" || id === "end") {
    tokens.next();
    tokens.expect("(");
    tokens.expect(")");
    return id;
  }
  const negative = id === "-";
  if (negative || id === "+") tokens.next();
  const { type } = tokens.peek();
  if (type !== "number" && type !== "duration") throw tokens.unexpected("@", "timestamp");
  const { value } = tokens.number();
  const seconds = negative ? -value : value;
  const timeMs = Math.round(seconds * 1000);
  if (!Number.isSafeInteger(timeMs)) {
    const reason = `timestamp out of bounds for @ modifier: ${formatGeneral(seconds)}`;
    throw tokens.fail(operand.span, reason);
  }
  return timeMs;
}

function targetOf(operand: Expression): VectorSelector | Subquery | undefined {
  if (operand.kind === "range") return operand.selector;
  return operand.kind === "selector" || operand.kind === "subquery" ? operand : undefined;
}

/** The operand ends where its last modifier ends. */
function extend(tokens: TokenStream, operand: Expression): Expression {
  operand.span = joinSpans(operand.span, tokens.last.span);
  return operand;
}
