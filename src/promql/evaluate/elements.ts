/** Binary operators on two sample values. */
import { type Annotations, MESSAGES } from "../annotations.ts";
import { combine, divide, scale } from "../histogram/arithmetic.ts";
import { type Histogram, compact, equalHistograms } from "../histogram/histogram.ts";
import { trim } from "../histogram/trim.ts";
import { isComparison } from "../operators.ts";
import type { Span } from "../position.ts";

/** The result of an operator on two values. `keep` is false where a comparison does not hold. */
export interface Outcome {
  value: number | Histogram;
  keep: boolean;
}

const ARITHMETIC: Record<string, (a: number, b: number) => number> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "^": power,
  atan2: Math.atan2,
};

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  "<": (a, b) => a < b,
  ">=": (a, b) => a >= b,
  "<=": (a, b) => a <= b,
};

export const arithmeticOf = (operator: string): ((a: number, b: number) => number) | undefined =>
  ARITHMETIC[operator];
export const comparisonOf = (operator: string): ((a: number, b: number) => boolean) | undefined =>
  COMPARE[operator];

/** Applies an operator to scalars. A comparison gives 1 or 0. */
export function applyToNumbers(operator: string, a: number, b: number): number {
  const compare = COMPARE[operator];
  return compare ? Number(compare(a, b)) : ARITHMETIC[operator]!(a, b);
}

/** Applies an operator to two values of any kind. Undefined, with an annotation, where it is not defined for them. */
export function applyToSamples(
  operator: string,
  a: number | Histogram,
  b: number | Histogram,
  annotations: Annotations,
  span: Span,
): Outcome | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const compare = COMPARE[operator];
    if (compare) return { value: a, keep: compare(a, b) };
    const calculate = ARITHMETIC[operator];
    if (calculate) return { value: calculate(a, b), keep: true };
  } else if (typeof a === "object" && typeof b === "object") {
    if (operator === "+" || operator === "-") return combineHistograms(operator, a, b, annotations, span);
    if (operator === "==" || operator === "!=") {
      return { value: a, keep: equalHistograms(a, b) === (operator === "==") };
    }
  } else {
    const value = applyToMixed(operator, a, b);
    if (value) return { value: compact(value), keep: true };
  }
  annotations.inform(MESSAGES.incompatibleTypes(kindOf(a), operator, kindOf(b)), span);
  return undefined;
}

const kindOf = (value: number | Histogram): string => (typeof value === "number" ? "float" : "histogram");

function applyToMixed(operator: string, a: number | Histogram, b: number | Histogram): Histogram | undefined {
  if (typeof a === "number") return operator === "*" ? scale(b as Histogram, a) : undefined;
  const number = b as number;
  if (operator === "*") return scale(a, number);
  if (operator === "/") return divide(a, number);
  if (operator === "</") return trim(a, number, "below");
  return operator === ">/" ? trim(a, number, "above") : undefined;
}

function combineHistograms(
  operator: "+" | "-",
  a: Histogram,
  b: Histogram,
  annotations: Annotations,
  span: Span,
): Outcome | undefined {
  const combination = combine(a, b, operator === "+" ? 1 : -1);
  const operation = operator === "+" ? "addition" : "subtraction";
  if (!combination) {
    annotations.warn(MESSAGES.incompatibleLayout(operator), span);
    return undefined;
  }
  if (combination.hintsCollide) annotations.warn(MESSAGES.resetCollision(operation), span);
  if (combination.boundsReconciled) annotations.inform(MESSAGES.boundsReconciled(operation), span);
  const { histogram } = combination;
  return { value: operator === "-" ? { ...histogram, resetHint: "gauge" } : histogram, keep: true };
}

/** IEEE's power, as in Go: 1 to any power, and -1 to an infinite one, is 1. JavaScript says NaN. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Infinity)) return 1;
  return base ** exponent;
}

/** Whether the result is another metric, so that the name of the operand does not fit it any more. */
export const changesMetric = (operator: string): boolean =>
  !isComparison(operator) && operator !== "</" && operator !== ">/";
