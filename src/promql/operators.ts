/** The operators and aggregations of the language, as tables. */

export const COMPARISONS = ["==", "!=", "<=", "<", ">=", ">"] as const;
export const SET_OPERATORS = ["and", "or", "unless"] as const;

/** Binding strength of binary operators. All but `^` associate to the left. */
export const PRECEDENCE: Record<string, number | undefined> = {
  or: 1,
  and: 2,
  unless: 2,
  ...Object.fromEntries([...COMPARISONS, "</", ">/"].map((operator) => [operator, 3])),
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  atan2: 5,
  "^": 6,
};

/** Unary minus binds like a multiplication: `-a ^ b` is `-(a ^ b)`. */
export const UNARY_PRECEDENCE = 5;

/** Aggregations by name, with the type of their parameter. */
const STABLE_AGGREGATIONS = {
  sum: "none",
  avg: "none",
  count: "none",
  min: "none",
  max: "none",
  group: "none",
  stddev: "none",
  stdvar: "none",
  topk: "scalar",
  bottomk: "scalar",
  quantile: "scalar",
  count_values: "string",
} as const;

export type AggregationOperator = keyof typeof STABLE_AGGREGATIONS;

export const AGGREGATIONS: Record<string, "none" | "scalar" | "string" | undefined> = {
  ...STABLE_AGGREGATIONS,
  limitk: "scalar",
  limit_ratio: "scalar",
};

export const EXPERIMENTAL_AGGREGATIONS: readonly string[] = ["limitk", "limit_ratio"];

export const isComparison = (operator: string): boolean =>
  (COMPARISONS as readonly string[]).includes(operator);
export const isSetOperator = (operator: string): boolean =>
  (SET_OPERATORS as readonly string[]).includes(operator);
