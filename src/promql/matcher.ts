/** Label matchers: `=`, `!=`, `=~` and `!~`. */
import { Regexp } from "./regexp/regexp.ts";
import { quote } from "./quote.ts";

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  /** The text, or the pattern as it stands in the query. */
  readonly value: string;
  /** The values that the expression of `=~` or `!~` spells out, if it is a list such as `a|b`. */
  readonly literals: readonly string[] | undefined;
  /** Whether the matcher accepts this value of its label. A label that is missing has the value "". */
  matches(value: string): boolean;
}

/** @throws RegexpError if the pattern is not valid. */
export function makeMatcher(name: string, operator: MatchOperator, value: string): Matcher {
  if (operator === "=" || operator === "!=") {
    const expected = operator === "=";
    return { name, operator, value, literals: undefined, matches: (text) => (text === value) === expected };
  }
  const regexp = new Regexp(value);
  const expected = operator === "=~";
  return {
    name,
    operator,
    value,
    literals: regexp.literals,
    matches: (text) => regexp.matches(text) === expected,
  };
}

export const formatMatcher = ({ name, operator, value }: Matcher, label: (name: string) => string): string =>
  `${label(name)}${operator}${quote(value)}`;
