/** Applies `offset` and `@` to the selector or subquery before them. */
import type { AtModifier, Expression, Subquery, VectorSelector } from "./ast.ts";
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

function targetOf(operand: Expression): VectorSelector | Subquery | undefined {
  if (operand.kind === "range") return operand.selector;
  return operand.kind === "selector" || operand.kind === "subquery" ? operand : undefined;
}

/** The operand ends where its last modifier ends. */
function extend(tokens: TokenStream, operand: Expression): Expression {
  operand.span = joinSpans(operand.span, tokens.last.span);
  return operand;
}
