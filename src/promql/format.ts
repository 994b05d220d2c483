/** Prints a parsed query back as text. */
import type { AtModifier, Binary, Expression, MatrixSelector, Subquery, VectorSelector } from "./ast.ts";
import { METRIC_NAME } from "./labels.ts";
import { formatDuration } from "./literals.ts";
import { formatMatcher } from "./matcher.ts";
import { formatValue } from "./numbers.ts";
import { quote } from "./quote.ts";

/** The query on one line, which parses to the same tree. */
export function format(expression: Expression): string {
  switch (expression.kind) {
    case "number":
      return formatNumber(expression.value, expression.isDuration);
    case "string":
      return quote(expression.value);
    case "selector":
      return formatSelector(expression) + formatModifiers(expression);
    case "range":
      return formatSelector(expression.selector) + rangeSuffix(expression);
    case "subquery":
      return format(expression.inner) + subquerySuffix(expression);
    case "call":
      return `${expression.name}(${expression.args.map(format).join(", ")})`;
    case "aggregation": {
      const { parameter, inner } = expression;
      const args = parameter ? [parameter, inner] : [inner];
      return `${aggregationPrefix(expression)}(${args.map(format).join(", ")})`;
    }
    case "binary":
      return `${format(expression.left)} ${operatorText(expression)} ${format(expression.right)}`;
    case "unary":
      return expression.operator + format(expression.inner);
    case "parentheses":
      return `(${format(expression.inner)})`;
  }
}

/** The longest line that `prettify` leaves on one line. */
const MAX_LINE = 100;

/** The query on as many lines as it takes, as the HTTP API's `format_query` does. */
export function prettify(expression: Expression, level = 0): string {
  const indent = "  ".repeat(level);
  const line = format(expression);
  if (line.length <= MAX_LINE) return expression.kind === "subquery" ? line : indent + line;
  switch (expression.kind) {
    case "number":
    case "string":
    case "selector":
    case "range":
      return indent + line;
    case "subquery":
      return prettify(expression.inner, level) + subquerySuffix(expression);
    case "call": {
      const args = expression.args.map((arg) => prettify(arg, level + 1)).join(",\n");
      return `${indent}${expression.name}(\n${args}\n${indent})`;
    }
    case "aggregation": {
      const { parameter, inner } = expression;
      const args = (parameter ? [parameter, inner] : [inner])
        .map((arg) => prettify(arg, level + 1))
        .join(",\n");
      return `${indent}${aggregationPrefix(expression)}(\n${args}\n${indent})`;
    }
    case "binary": {
      const [left, right] = [expression.left, expression.right].map((side) => prettify(side, level + 1));
      return `${left}\n${indent}${operatorText(expression)}\n${right}`;
    }
    case "unary":
      return indent + expression.operator + prettify(expression.inner, level).trim();
    case "parentheses":
      return `${indent}(\n${prettify(expression.inner, level + 1)}\n${indent})`;
  }
}

function formatNumber(value: number, isDuration: boolean): string {
  if (!isDuration) return formatValue(value);
  return value < 0 ? `-${formatDuration(-value * 1000)}` : formatDuration(value * 1000);
}

function formatSelector({ name, matchers }: VectorSelector): string {
  const texts = matchers
    .filter(
      (matcher) =>
        !(matcher.name === METRIC_NAME && matcher.operator === "=" && matcher.value === name && name),
    )
    .map((matcher) => formatMatcher(matcher, quoteName))
    .sort();
  return name + (texts.length > 0 ? `{${texts.join(",")}}` : "");
}

const rangeSuffix = ({ rangeMs, selector }: MatrixSelector): string =>
  `[${formatDuration(rangeMs)}]${formatModifiers(selector)}`;

function subquerySuffix(subquery: Subquery): string {
  const step = subquery.stepMs === 0 ? "" : formatDuration(subquery.stepMs);
  return `[${formatDuration(subquery.rangeMs)}:${step}]${formatModifiers(subquery)}`;
}

function formatModifiers({ at, offsetMs }: { at: AtModifier | undefined; offsetMs: number }): string {
  const time = typeof at === "number" ? ` @ ${(at / 1000).toFixed(3)}` : at === undefined ? "" : ` @ ${at}()`;
  if (offsetMs === 0) return time;
  return `${time} offset ${offsetMs < 0 ? "-" : ""}${formatDuration(Math.abs(offsetMs))}`;
}

function aggregationPrefix({ operator, labels, without }: Expression & { kind: "aggregation" }): string {
  if (without) return `${operator} without (${formatNames(labels)}) `;
  return labels.length > 0 ? `${operator} by (${formatNames(labels)}) ` : operator;
}

function operatorText({ operator, returnBool, matching }: Binary): string {
  let text = operator + (returnBool ? " bool" : "");
  const { cardinality, labels, on, include } = matching;
  const isGrouped = cardinality === "many-to-one" || cardinality === "one-to-many";
  if (labels.length > 0 || on || isGrouped) text += ` ${on ? "on" : "ignoring"} (${formatNames(labels)})`;
  if (isGrouped)
    text += ` group_${cardinality === "many-to-one" ? "left" : "right"} (${formatNames(include)})`;
  return text;
}

const formatNames = (names: readonly string[]): string => names.map(quoteName).join(", ");

/** A name that is no plain word must be quoted. */
const quoteName = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quote(name));
